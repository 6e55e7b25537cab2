// The page: it shows one item at a time, sends each answer at once, and shows the next one when the answer is kept.
"use strict";

const $ = (id) => document.getElementById(id);
const state = JSON.parse($("state").dataset.state);
const FEW = 9;
let shown = 0; // when the item came onto the screen, by the clock that no one sets
let sending = false;
let adding = Promise.resolve(); // the classes that are on their way to the journal
let pending = 0; // number of them
let tags = []; // type of each word of a sentence: "" for none
let starts = []; // whether a marked part begins at the word
let at = 0; // word that the keys are at
let from = 0; // word at which the marked words begin

const names = () => state.progress.classes.map(([name]) => name);
const many = () => names().length > FEW;

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    const lost = body === undefined ? "" : " What you did last was not kept.";
    throw new Error(`The program does not answer: was it stopped?${lost} Start it again, and load this page.`);
  }
  const kind = answer.headers.get("content-type") || "";
  const value = kind.startsWith("application/json") ? await answer.json() : { error: await answer.text() };
  if (!answer.ok) throw new Error(value.error || value.saving || "Refused.");
  return value;
}

function make(tag, words, given = {}) {
  const made = document.createElement(tag);
  if (words !== undefined) made.textContent = words;
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  return made;
}

function notice(words) {
  $("notice").textContent = words;
  $("notice").hidden = !words;
}

async function during(work) {
  if (sending) return;
  sending = true;
  try {
    await work();
    notice("");
  } catch (error) {
    notice(error.message);
  } finally {
    sending = false;
  }
}

// what is shown

function showItem(item, focus = true) {
  state.item = item;
  $("asked").hidden = !item;
  $("finished").hidden = Boolean(item);
  if (!item) {
    $("finished").querySelector("h1").focus();
    return;
  }
  $("place").textContent = item.place;
  $("why-asked").textContent = item.picked || !item.in_queue ? "picked by hand" : "";
  const box = $("item");
  box.replaceChildren();
  if (item.fault) box.append(make("p", item.fault, { class: "notice warning" }));
  if (item.picture) box.append(make("img", undefined, { src: item.picture, alt: item.name || item.place }));
  if (item.text) {
    box.append(make("p", item.text, { class: "text", dir: "auto", lang: "" }));
    if (item.more) {
      const more = make("button", `${item.more.toLocaleString("en")} more characters`, { type: "button" });
      more.addEventListener("click", () => during(async () => {
        box.querySelector(".text").textContent = (await ask(`/items/${item.row}/text`)).text;
        more.remove();
      }));
      box.append(more);
    }
  }
  if (item.words && item.words.length) box.append(sentence(item));
  if (item.numbers && item.numbers.length) {
    const table = make("table", undefined, { class: "numbers" });
    for (const [name, value] of item.numbers) {
      const row = make("tr");
      row.append(make("th", name, { scope: "row" }), make("td", value));
      table.append(row);
    }
    box.append(table);
  }
  box.scrollTop = 0;
  const said = Object.entries(item.said || {}).map(([by, label]) => `${by}: ${label}`);
  const before = item.mine ? `Your answer: ${item.mine.label || item.mine.act}. ` : item.given ? `The table says: ${item.given}. ` : "";
  $("beside").textContent = before + (said.length ? `The annotators disagree: ${said.join("; ")}. Your answer here settles it.` : "");
  $("guess").hidden = item.guess === undefined;
  $("guess").textContent = item.guess === undefined ? "" : guessed(item);
  $("show-guess").hidden = !item.has_guess || item.guess !== undefined;
  $("note-box").hidden = true;
  $("note").value = item.note || "";
  $("answers").elements.row.value = item.row;
  $("answers").elements.item.value = item.item;
  $("which").value = "";
  showClasses();
  shown = performance.now();
  if (focus) (many() && !state.tags ? $("which") : $("item-name")).focus({ preventScroll: false });
}

function showClasses() {
  const box = $("classes");
  const typed = $("which").value.trim().toLocaleLowerCase();
  const all = names();
  const fits = typed ? all.filter((name) => name.toLocaleLowerCase().includes(typed)) : all;
  fits.sort((a, b) => Number(b.toLocaleLowerCase().startsWith(typed)) - Number(a.toLocaleLowerCase().startsWith(typed)));
  const mine = state.item && state.item.mine ? state.item.mine.label : "";
  box.replaceChildren();
  fits.forEach((name, i) => {
    const button = make("button", undefined, { type: "button", value: name });
    const number = many() ? i : all.indexOf(name);
    button.append(make("bdi", name, { lang: "" }));
    if (number < FEW) button.append(" ", make("kbd", String(number + 1)));
    button.classList.toggle("mine", name === mine);
    button.classList.toggle("best", many() && typed !== "" && i === 0);
    button.addEventListener("click", () => choose(name));
    box.append(button);
  });
  $("many").hidden = !many();
  $("done").hidden = !state.tags;
  const alt = many() && !state.tags ? "Alt " : "";
  for (const key of document.querySelectorAll(".acts kbd")) {
    const plain = key.textContent.replace("Alt ", "");
    key.textContent = /^[a-z]$/.test(plain) ? alt + plain : plain;
  }
  $("first").hidden = all.length > 0;
  $("which").setAttribute("aria-expanded", String(typed !== ""));
}

function showProgress(progress, saving) {
  const before = names().join("\n");
  const mine = state.progress.classes.filter(([name]) => !progress.classes.some(([other]) => other === name));
  state.progress = pending ? { ...progress, classes: [...progress.classes, ...mine] } : progress;
  if (state.item && names().join("\n") !== before) renewClasses();
  const done = progress.queue - progress.left;
  $("bar").max = progress.queue || 1;
  $("bar").value = progress.queue ? done : 1;
  $("count").textContent = `${progress.labelled.toLocaleString("en")} labelled, ${progress.left.toLocaleString("en")} to go`;
  if (saving !== undefined) $("saving").textContent = saving;
}

function renewClasses() {
  showClasses();
  $("all-classes").replaceChildren(...names().map((name) => make("option", undefined, { value: name })));
  if (state.tags && document.querySelector(".word")) showWords();
}

const RENEWED = 3000; // milliseconds after which a page that is seen looks for what others did

async function renew() {
  if (document.hidden || sending || pending) return;
  try {
    const { saving, ...progress } = await ask("/progress");
    if (!sending && !pending) showProgress(progress, saving);
  } catch {
    // the next answer says it
  }
}

let looking = 0; // timer of the look at whether the table was written

function lookAtSaving() {
  clearTimeout(looking);
  looking = setTimeout(async () => {
    try {
      const { saving } = await ask("/progress");
      $("saving").textContent = saving;
      if (saving.startsWith("The table was not")) notice(saving);
    } catch {
      // the next answer says it
    }
  }, 3500);
}

function take(value) {
  showProgress(value.progress, value.saving);
  showItem(value.item);
  lookAtSaving();
}

// what is answered

function choose(name) {
  if (state.tags) {
    mark(name);
    return;
  }
  send({ act: Object.keys(state.item.said || {}).length ? "settle" : "label", label: name });
}

function send(answer) {
  const item = state.item;
  if (!item) return;
  during(async () => {
    const seconds = Math.round(performance.now() - shown) / 1000;
    await adding; // classes keep the order in which they were added
    const note = $("note-box").hidden ? "" : $("note").value;
    take(await ask("/answers", { row: item.row, item: item.item, seconds, note, hand: Boolean(item.picked) || !item.in_queue, ...answer }));
  });
}

function undo() {
  during(async () => take(await ask("/undo", {})));
}

function act(name) {
  send({ act: name });
}

function addClass() {
  const name = $("fresh").value.trim();
  if (!name) return;
  if (state.tags && /\s/.test(name)) {
    notice("The name of a type has no blanks.");
    return;
  }
  $("fresh").value = "";
  if (!names().includes(name)) {
    state.progress.classes.push([name, 0]);
    pending += 1;
    adding = adding.then(() => ask("/classes", { name })).catch((error) => {
      state.progress.classes = state.progress.classes.filter(([other]) => other !== name);
      showClasses();
      notice(error.message);
    }).finally(() => { pending -= 1; });
  }
  showClasses();
  (many() && !state.tags ? $("which") : $("item-name")).focus();
}

function guessed(said) {
  return `The model says ${said.guess}${said.why ? ` (${said.why})` : ""}.`;
}

async function showGuess() {
  if (!state.item || !state.item.has_guess) return;
  await during(async () => {
    const said = await ask(`/items/${state.item.row}/guess`, {});
    $("guess").textContent = guessed(said);
    $("guess").hidden = false;
  });
}

// sentences

function sentence(item) {
  const line = make("p", undefined, { class: "words", dir: "auto", lang: "", role: "group", "aria-label": "Words" });
  const said = item.undone || (item.mine && item.mine.act === "label" ? item.mine.label : "");
  const before = said ? said.split(" ") : [];
  tags = item.words.map((_, i) => (before[i] && before[i] !== "O" ? before[i].slice(2) : ""));
  starts = item.words.map((_, i) => !before[i] || before[i][0] !== "I");
  at = from = 0;
  item.words.forEach((word, i) => {
    const each = make("span", undefined, { class: "word", "data-i": i });
    each.append(make("bdi", word), make("small"));
    each.addEventListener("click", (event) => {
      at = i;
      if (!event.shiftKey) from = i;
      showWords();
    });
    line.append(each, " ");
  });
  queueMicrotask(showWords);
  return line;
}

function marked() {
  return [Math.min(from, at), Math.max(from, at)];
}

function showWords() {
  const [low, high] = marked();
  document.querySelectorAll(".word").forEach((each, i) => {
    each.classList.toggle("at", i === at);
    each.classList.toggle("chosen", i >= low && i <= high);
    each.classList.toggle("typed", tags[i] !== "");
    for (let k = 0; k < 6; k += 1) each.classList.toggle(`k${k}`, tags[i] !== "" && names().indexOf(tags[i]) % 6 === k);
    each.querySelector("small").textContent = tags[i] && starts[i] ? tags[i] : "";
  });
  const now = state.item.words.slice(low, high + 1).join(" ");
  $("why-asked").textContent = `${now}${tags[low] ? `: ${tags[low]}` : ""}`;
}

function mark(name) {
  const [low, high] = marked();
  for (let i = low; i <= high; i += 1) {
    tags[i] = name;
    starts[i] = i === low;
  }
  if (tags[high + 1]) starts[high + 1] = starts[high + 1] || name === "" || tags[high + 1] !== name;
  if (name !== "") from = at = Math.min(high + 1, tags.length - 1);
  $("item-name").focus();
  showWords();
}

function done() {
  const label = tags.map((type, i) => (type ? `${starts[i] || tags[i - 1] !== type ? "B" : "I"}-${type}` : "O")).join(" ");
  send({ act: Object.keys(state.item.said || {}).length ? "settle" : "label", label });
}

// what is found

let found = [];
let finding = 0; // number of the last search: what an earlier one found comes too late

async function find() {
  finding += 1;
  const mine = finding;
  const query = new URLSearchParams({ words: $("find-words").value, state: $("find-state").value, guess: $("find-guess").value });
  let value;
  try {
    value = await ask(`/find?${query}`);
  } catch (error) {
    $("find-count").textContent = error.message;
    return;
  }
  if (mine !== finding) return;
  groups = [];
  list(value.rows, `${value.rows.length}${value.more ? " and more" : ""} found`);
}

let groups = []; // rows of each group of alike items
let group = 0; // number of the group that is shown

async function grouped() {
  $("find-count").textContent = "Looking for alike items, which can take a minute …";
  finding += 1;
  const mine = finding;
  try {
    const value = await ask("/groups");
    if (mine !== finding) return;
    groups = value.groups;
    showGroup(0);
  } catch (error) {
    $("find-count").textContent = error.message;
  }
}

function showGroup(number) {
  group = Math.min(Math.max(number, 0), groups.length - 1);
  const open = (groups[group] || []).filter((each) => !each.label);
  list(open, groups.length ? `Group ${group + 1} of ${groups.length}: ${open.length} items. Take the ticks off those that are of another class.` : "There are no groups.");
  $("found").querySelectorAll("input").forEach((box) => { box.checked = true; });
  $("all-chosen").checked = true;
}

function list(rows, words) {
  found = rows;
  delete $("all-go").dataset.sure;
  $("find-count").textContent = words;
  $("group-before").hidden = $("group-after").hidden = groups.length < 2;
  const body = $("found");
  body.replaceChildren();
  for (const each of found) {
    const row = make("tr");
    const box = make("input", undefined, { type: "checkbox", "aria-label": each.place, value: each.row });
    const open = make("button", each.place, { type: "button", class: "plain" });
    open.addEventListener("click", () => {
      $("find").close();
      during(async () => showItem({ ...await ask(`/items/${each.row}`), picked: true }));
    });
    const cells = [make("td"), make("td"), make("td", each.picture ? "" : each.excerpt, { dir: "auto" }), make("td", each.label)];
    if (each.picture) cells[2].append(make("img", undefined, { src: each.picture, alt: each.excerpt, loading: "lazy", class: "small" }));
    cells[0].append(box);
    cells[1].append(open);
    row.append(...cells);
    body.append(row);
  }
  $("all-box").hidden = !found.length || state.tags;
  $("all-chosen").checked = false;
  $("all-classes").replaceChildren(...names().map((name) => make("option", undefined, { value: name })));
  $("all-note").hidden = $("all-box").hidden;
  $("all-note").textContent = "Items that you pick by hand are no sample: their labels are learnt, and say nothing of how good a model is on the pool. They are marked as picked by hand.";
}

async function labelChosen() {
  const chosen = [...$("found").querySelectorAll("input:checked")].map((box) => Number(box.value));
  if (!chosen.length) return;
  const label = $("all-class").value.trim();
  if (!label) {
    $("all-class").focus();
    return;
  }
  const other = found.filter((each) => chosen.includes(each.row) && each.label && each.label !== label).length;
  if (other && $("all-go").dataset.sure !== `${other}`) {
    $("all-go").dataset.sure = `${other}`;
    $("all-note").textContent = `${other} of them ${other === 1 ? "has" : "have"} another label already. Press again to change ${other === 1 ? "it" : "them"}.`;
    return;
  }
  await during(async () => {
    const items = await Promise.all(chosen.map((row) => ask(`/items/${row}`)));
    const value = await ask("/answers", { answers: items.map((item) => ({ row: item.row, item: item.item, act: "label", label, hand: true })) });
    showProgress(value.progress, value.saving);
    showItem(value.item, false);
    if (!groups.length) {
      await find();
      return;
    }
    groups[group].forEach((each) => { if (chosen.includes(each.row)) each.label = label; });
    showGroup(group + (groups[group].every((each) => each.label) ? 1 : 0));
  });
}

// how far

async function showFacts() {
  const [progress, both] = await Promise.all([ask("/progress"), ask("/agreement")]);
  showProgress(progress, progress.saving);
  const box = $("facts-body");
  box.replaceChildren();
  const percent = (x) => `${(100 * x).toFixed(0)} %`;
  const table = make("table");
  for (const [name, count] of [...progress.classes, ...progress.other]) {
    const row = make("tr");
    row.append(make("th", name, { scope: "row", dir: "auto" }), make("td", count.toLocaleString("en"), { class: "n" }));
    table.append(row);
  }
  box.append(make("p", `${progress.labelled.toLocaleString("en")} labelled, ${progress.left.toLocaleString("en")} of ${progress.queue.toLocaleString("en")} to go.`));
  const acts = [["unsure", "unsure"], ["none", "none of these"], ["skip", "left for later"]].filter(([name]) => progress.acts[name]);
  if (acts.length) box.append(make("p", `Yours: ${acts.map(([name, words]) => `${progress.acts[name]} ${words}`).join(", ")}.`));
  if (progress.seconds && progress.left) {
    const minutes = Math.ceil((progress.seconds * progress.left) / 60);
    box.append(make("p", `An answer takes ${Math.max(0.1, progress.seconds).toFixed(1)} seconds (median), the rest some ${minutes.toLocaleString("en")} ${minutes === 1 ? "minute" : "minutes"}.`));
  }
  box.append(table);
  if (progress.disagreements) box.append(make("p", `Annotators disagree on ${progress.disagreements}: Find shows them.`));
  for (const pair of both.pairs) {
    const kappa = pair.kappa === null ? "" : `, kappa ${pair.kappa.toFixed(2)}${pair.low === null ? "" : ` (${pair.low.toFixed(2)} to ${pair.high.toFixed(2)})`}`;
    box.append(make("p", `${pair.first} and ${pair.second} labelled the same ${pair.items}: equal ${percent(pair.equal)}${kappa}.`));
  }
  for (const [name, each] of Object.entries(both.guess)) {
    const words = { seen: "Where the model's answer had been seen", unseen: "Where it had not been seen", suggested: "Where the model's answer was shown at once", hidden: "Where it was not" }[name];
    box.append(make("p", `${words}, ${percent(each.equal)} of ${each.items} labels equal it (${percent(each.low)} to ${percent(each.high)}).`));
  }
}

// learn

let watching = 0; // timer of the next look at the jobs
const NS = "http://www.w3.org/2000/svg";

function draw(tag, given, words) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  if (words !== undefined) made.textContent = words;
  return made;
}

function curve(points) {
  const box = $("curve");
  box.replaceChildren();
  const known = points.filter((p) => p.score !== null && p.score !== undefined);
  if (known.length) {
    const [w, h, left, low] = [Math.min(600, Math.max(260, window.innerWidth - 80)), 200, 46, 28]; // letters keep their size
    const most = Math.max(...known.map((p) => p.labels)) * 1.05;
    const x = (n) => left + ((w - left - 12) * n) / most;
    const bottom = Math.max(0, Math.min(...known.map((p) => p.low)) - 0.05);
    const y = (v) => 10 + ((h - low - 10) * (1 - v)) / (1 - bottom);
    const says = known.map((p) => `${p.labels} labels: ${(100 * p.score).toFixed(1)} % (${(100 * p.low).toFixed(0)} to ${(100 * p.high).toFixed(0)})`).join("; ");
    const plot = draw("svg", { viewBox: `0 0 ${w} ${h}`, class: "curve", role: "img", "aria-label": `${known[0].measure} by labels, with 90 % intervals. ${says}` });
    for (const v of [bottom, (1 + bottom) / 2, 1]) {
      plot.append(draw("line", { x1: left, x2: w - 12, y1: y(v), y2: y(v), class: "grid-line" }));
      plot.append(draw("text", { x: left - 6, y: y(v) + 4, class: "end" }, `${(100 * v).toFixed(0)} %`));
    }
    plot.append(draw("polyline", { points: known.map((p) => `${x(p.labels)},${y(p.score)}`).join(" "), class: "line" }));
    for (const p of known) {
      plot.append(draw("line", { x1: x(p.labels), x2: x(p.labels), y1: y(p.low), y2: y(p.high), class: "interval" }));
      plot.append(draw("circle", { cx: x(p.labels), cy: y(p.score), r: 4, class: "dot" }));
      plot.append(draw("text", { x: x(p.labels), y: h - 8, class: "middle" }, p.labels));
    }
    const measure = known[0].measure[0].toLocaleUpperCase() + known[0].measure.slice(1);
    box.append(plot, make("p", `${measure} on held-out labels by their number, with 90 % intervals.`, { class: "note" }));
  }
  const last = points[points.length - 1];
  if (last) {
    const span = (each) => `${(100 * each.low).toFixed(0)} to ${(100 * each.high).toFixed(0)} %`;
    if (last.score !== null && last.score !== undefined) {
      box.append(make("p", `With ${last.labels} labels the model's ${last.measure} on labels that it had not learnt is ${(100 * last.score).toFixed(0)} % (likely ${span(last)}).`));
    }
    if (last.sample) box.append(make("p", `On the ${last.sample.drawn} that were drawn at random, and so are like those without a label, it is likely ${span(last.sample)}.`));
    if (last.words) {
      const more = make("details");
      more.append(make("summary", "What the items without a label brought"), make("p", last.words));
      box.append(more);
    }
    const link = make("a", "The whole report", { href: `/runs/${last.number}/report.html`, target: "_blank", rel: "noopener" });
    const line = make("p");
    line.append(link);
    box.append(line);
  }
}

const DOES = { fit: "Learning", next: "Asking what to label next" };

function showJobs(told) {
  $("learn-off").hidden = !told.off;
  $("learn-off").textContent = told.off || "";
  $("learn-on").hidden = Boolean(told.off);
  if (told.off) return;
  const last = told.jobs[told.jobs.length - 1];
  const running = Boolean(last) && last.state === "running";
  $("start-fit").disabled = $("start-next").disabled = running;
  $("start-next").hidden = !told.curve.length;
  $("stop-job").hidden = !running;
  $("again-job").hidden = !last || !["stopped", "failed"].includes(last.state);
  $("again-job").value = last ? last.number : "";
  $("job-bar").hidden = !running;
  if (running && last.far.share) $("job-bar").value = Math.round(100 * last.far.share);
  else $("job-bar").removeAttribute("value");
  const error = last && last.state === "failed" ? last.says || "It failed; the log says why." : "";
  const ended = { done: last && last.does === "next" ? "What was asked for comes first now." : "Learnt.", stopped: "Stopped. It can go on where it was.", failed: error };
  $("job-now").textContent = !last ? "" : running ? `${DOES[last.does]}${last.far.left ? `, about ${last.far.left} left` : ""} …` : ended[last.state];
  curve(told.curve);
  $("outlook").textContent = told.outlook;
  $("job-details").hidden = !told.jobs.length;
  $("job-list").replaceChildren(...told.jobs.flatMap((job) => {
    return [make("pre", `${job.state}: ${job.command}${job.log ? `\n\n${job.log}` : ""}`, { tabindex: "0" })];
  }));
  if (told.fresh) showProgress(told.progress);
  if (told.fresh && state.item && !state.item.mine) during(async () => take(await ask("/next")));
  clearTimeout(watching);
  if (running) watching = setTimeout(() => jobs(), 1000);
}

async function jobs(does, body = {}) {
  try {
    showJobs(await (does ? ask(`/jobs/${does}`, body) : ask("/jobs")));
  } catch (error) {
    $("job-now").textContent = error.message;
  }
}

// keys

const dialogs = { "open-find": "find", "open-facts": "facts", "open-learn": "learn", "open-help": "help", "open-name": "name" };

async function open(id) {
  if (document.querySelector("dialog[open]")) return;
  $(id).showModal();
  if (id === "find") {
    const guesses = state.progress.guesses || [];
    $("find-guess-label").hidden = !guesses.length;
    if ($("find-guess").options.length === 1) $("find-guess").append(...guesses.map((name) => make("option", name, { value: name })));
    $("find-words").focus();
    await find();
  }
  if (id === "facts") await during(showFacts);
  if (id === "learn") await jobs();
}

function onKey(event) {
  if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.isComposing) return;
  const here = event.target;
  const typing = here instanceof HTMLTextAreaElement || (here instanceof HTMLInputElement && here.type !== "checkbox");
  const which = here === $("which");
  if (typing && !which) {
    if (event.key === "Enter" && here === $("fresh")) {
      event.preventDefault();
      addClass();
    }
    if (event.key === "Escape" && here === $("note")) closeNote();
    return;
  }
  const letters = event.altKey || !(many() && !state.tags);
  const letter = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code[3] : event.key; // a Mac types signs by it
  const key = letter.length === 1 ? letter.toLocaleLowerCase() : letter;
  const does = keyed(key, letters, which, event);
  if (!does) return;
  event.preventDefault();
  if (event.repeat && !key.startsWith("Arrow")) return; // a key that is held answers one item
  does();
}

function keyed(key, letters, which, event) {
  const acts = { x: () => act("unsure"), s: () => act("skip"), u: undo, g: showGuess, m: note, p: () => open("facts"), l: () => open("learn") };
  if (letters && key in acts && (state.item || "upl".includes(key))) return acts[key];
  if (key === "?" && !which) return () => open("help");
  if (key === "/" && !which) return () => open("find");
  if (!state.item) return null;
  if (key === "0" && !(which && $("which").value)) return () => act("none");
  if (/^[1-9]$/.test(key) && !(which && $("which").value && !event.altKey)) {
    const button = $("classes").children[Number(key) - 1];
    return button ? () => choose(button.value) : null;
  }
  if (state.tags && !which) return wordKey(key, event);
  if (which && key === "Enter") {
    const typed = $("which").value.trim().toLocaleLowerCase();
    const best = $("classes").firstElementChild;
    const begin = names().filter((name) => name.toLocaleLowerCase().startsWith(typed));
    const exact = names().find((name) => name.toLocaleLowerCase() === typed);
    const one = exact || (begin.length === 1 ? begin[0] : $("classes").childElementCount === 1 ? best.value : "");
    if (typed && one) return () => choose(one);
    return () => notice(!typed ? "" : begin.length ? `${begin.length} classes begin with "${typed}": type more.` : `No class begins with "${typed}".`);
  }
  if (!letters && !which && event.key.length === 1 && event.key !== " ") {
    return () => {
      $("which").value += event.key;
      $("which").focus();
      showClasses();
    };
  }
  return null;
}

function wordKey(key, event) {
  const back = getComputedStyle(document.querySelector(".words")).direction === "rtl" ? "ArrowRight" : "ArrowLeft";
  if (key === "ArrowLeft" || key === "ArrowRight") {
    return () => {
      at = key === back ? Math.max(at - 1, 0) : Math.min(at + 1, tags.length - 1);
      if (!event.shiftKey) from = at;
      showWords();
    };
  }
  if (key === "Delete" || key === "Backspace") return () => mark("");
  if (key === "Enter" && !(event.target instanceof HTMLButtonElement)) return done;
  return null;
}

function closeNote() {
  $("note-box").hidden = true;
  $("item-name").focus();
}

function note() {
  $("note-box").hidden = false;
  $("note").focus();
}

document.addEventListener("keydown", onKey);
$("answers").addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (!button) return;
  if (button.name === "undo") undo();
  else if (button.name === "act") act(button.value);
  else if (button.name === "label") choose(button.value);
});
$("finished").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  undo();
});
$("which").addEventListener("input", showClasses);
$("add").addEventListener("click", addClass);
$("done").addEventListener("click", done);
$("show-guess").addEventListener("click", showGuess);
$("show-note").addEventListener("click", note);
$("keep-note").addEventListener("click", () => during(async () => {
  const item = state.item;
  await ask("/answers", { row: item.row, item: item.item, act: "note", note: $("note").value });
  item.note = $("note").value;
  $("note-box").hidden = true;
  $("item-name").focus();
}));
$("save").addEventListener("click", () => during(async () => {
  $("saving").textContent = (await ask("/save", {})).saving;
}));
for (const [button, id] of Object.entries(dialogs)) $(button).addEventListener("click", () => open(id));
document.querySelectorAll("dialog .close").forEach((button) => button.addEventListener("click", () => button.closest("dialog").close()));
document.querySelectorAll("dialog").forEach((dialog) => dialog.addEventListener("close", () => (many() && !state.tags ? $("which") : $("item-name")).focus()));
let typing = 0; // timer of the search while words are typed
$("find-words").addEventListener("input", () => {
  clearTimeout(typing);
  list([], "…");
  typing = setTimeout(find, 250);
});
$("find-form").addEventListener("submit", (event) => {
  event.preventDefault();
  find();
});
for (const id of ["find-state", "find-guess"]) $(id).addEventListener("change", find);
$("all-chosen").addEventListener("change", () => $("found").querySelectorAll("input").forEach((box) => { box.checked = $("all-chosen").checked; }));
$("start-fit").addEventListener("click", () => jobs("fit"));
$("start-next").addEventListener("click", () => jobs("next"));
$("again-job").addEventListener("click", () => jobs("again", { number: Number($("again-job").value) }));
$("stop-job").addEventListener("click", () => jobs("stop"));
$("group").addEventListener("click", grouped);
$("group-before").addEventListener("click", () => showGroup(group - 1));
$("group-after").addEventListener("click", () => showGroup(group + 1));
$("all-go").addEventListener("click", labelChosen);
showProgress(state.progress);
showItem(state.item);
window.addEventListener("focus", renew);
setInterval(renew, RENEWED);
