"""An encoder's fingerprint tells another tokenizer and another architecture, and a saved one cannot fill the memory."""

from __future__ import annotations

import json
import shutil

import pytest

from tutelage.files import BadFileError
from tutelage.modalities.encoder import load_architecture, load_encoder, save_architecture
from tutelage.modalities.fingerprint import placed


def changed(path, change):
    about = json.loads(path.read_text())
    change(about)
    path.write_text(json.dumps(about))


def swapped(about):
    words = about["model"]["vocab"]
    (one, first), (two, second), *_ = [(word, i) for word, i in words.items() if not word.startswith("[")]
    words[one], words[two] = second, first


CHANGES = {
    "two tokens swapped": ("tokenizer.json", swapped),
    "capitals kept": ("tokenizer_config.json", lambda about: about.update(do_lower_case=False)),
    "another activation": ("config.json", lambda about: about.update(hidden_act="relu")),
    "other heads": ("config.json", lambda about: about.update(num_attention_heads=4)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_tokenizer_or_architecture_is_another_encoder(encoder_folder, tmp_path, what):
    file, change = CHANGES[what]
    folder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    before = load_encoder(str(folder))
    changed(folder / file, change)
    after = load_encoder(str(folder))
    assert before.earlier_fingerprint == after.earlier_fingerprint
    assert before.fingerprint != after.fingerprint and before.cache_name != after.cache_name
    assert before.fingerprint == load_encoder(str(encoder_folder)).fingerprint


@pytest.mark.parametrize("change", [{"vocab_size": 5_000_000}, {"num_hidden_layers": 10**7}, {"hidden_size": 2**20}])
def test_an_architecture_larger_than_its_weights_is_refused(encoder_folder, tmp_path, change):
    folder = tmp_path / "encoder"
    save_architecture(load_encoder(str(encoder_folder)), folder)
    shutil.copy(encoder_folder / "model.safetensors", tmp_path)
    assert load_architecture(folder, 32).width == 16
    changed(folder / "config.json", lambda about: about.update(change))
    with pytest.raises(BadFileError, match=r"config\.json: not that of the weights in"):
        load_architecture(folder, 32)


def test_an_adapter_is_refused(encoder_folder, tmp_path):
    folder = shutil.copytree(encoder_folder, tmp_path / "encoder")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "someone/theirs"}')
    with pytest.raises(OSError, match="is an adapter of another model; merge both"):
        load_encoder(str(folder))


def test_a_folder_is_kept_by_its_place(tmp_path, monkeypatch):
    (tmp_path / "enc").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "enc")
    monkeypatch.chdir(tmp_path)
    assert [placed(name) for name in ("enc", "link", "enc+lexical")] == [
        str(tmp_path / "enc"), str(tmp_path / "enc"), f"{tmp_path / 'enc'}+lexical"
    ]  # fmt: skip
    assert [placed(name) for name in ("minilm", "someone/theirs")] == ["minilm", "someone/theirs"]
