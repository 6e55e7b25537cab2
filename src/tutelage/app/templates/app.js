// The page from a file to labels: it sends a file, and shows how far the commands are.
"use strict";

const $ = (id) => document.getElementById(id);

async function send(file) {
  $("sending").textContent = `Reading ${file.name} …`;
  try {
    const answer = await fetch(`/files/${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error || "Refused.");
    window.location.assign(`/files/${encodeURIComponent(value.name)}`);
  } catch (error) {
    $("sending").textContent = error.message;
  }
}

if ($("choose")) {
  $("choose").addEventListener("change", () => { if ($("choose").files.length) send($("choose").files[0]); });
  const drop = $("drop");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0]);
  });
}

function signature(jobs) {
  return JSON.stringify(jobs.map((job) => [job.number, job.state, job.address]));
}

async function watch(before, name) {
  let value;
  try {
    value = await (await fetch(`/files/${encodeURIComponent(name)}/jobs`)).json();
  } catch {
    return; // the program was stopped; what it has started goes on
  }
  if (signature(value.jobs) !== before) {
    window.location.reload();
    return;
  }
  for (const job of value.jobs) {
    const bar = document.querySelector(`#job-${job.number} progress`);
    if (bar && job.far.share) bar.value = Math.round(100 * job.far.share);
    const log = document.querySelector(`#job-${job.number} .log`);
    if (log) log.textContent = job.log;
  }
  if (value.jobs.some((job) => job.state === "running")) setTimeout(() => watch(before, name), 1000);
}

if ($("state")) {
  const state = JSON.parse($("state").dataset.state);
  if (state.jobs.some((job) => job.state === "running")) setTimeout(() => watch(signature(state.jobs), state.name), 1000);
}
