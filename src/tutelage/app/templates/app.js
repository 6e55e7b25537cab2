// The page from a file to labels: it sends a file, and shows how far the commands are.
"use strict";

const $ = (id) => document.getElementById(id);

async function send(file) {
  const sending = $("sending");
  sending.className = "";
  sending.textContent = `Reading ${file.name} …`;
  try {
    const answer = await fetch(`/files/${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error || "Refused.");
    window.location.assign(value.leads);
  } catch (error) {
    sending.className = "notice warning";
    sending.textContent = error instanceof TypeError ? "The program does not answer: start tutelage app again." : error.message;
    $("choose").value = "";
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

const signature = (value) => JSON.stringify([value.labels, value.jobs.map((job) => [job.number, job.state, job.address, job.away])]);

// What the program says anew takes the place of what was there; a form that somebody fills in stays as it is.
async function renew() {
  const found = new DOMParser().parseFromString(await (await fetch(window.location.pathname)).text(), "text/html");
  const focus = document.activeElement && document.activeElement.id;
  for (const id of ["labels", "learn", "jobs"]) {
    if (!$(id) || !found.getElementById(id) || $(id).innerHTML === found.getElementById(id).innerHTML) continue;
    const open = [...$(id).querySelectorAll("details")].map((fold) => fold.open);
    $(id).replaceWith(document.importNode(found.getElementById(id), true));
    if (open.length === $(id).querySelectorAll("details").length) {
      $(id).querySelectorAll("details").forEach((fold, i) => { fold.open = open[i]; });
    }
  }
  if (focus && $(focus)) $(focus).focus();
}

let shown = $("state") ? JSON.parse($("state").dataset.state) : null;
let waiting = null;

async function watch() {
  clearTimeout(waiting);
  waiting = null;
  let value;
  try {
    const answer = await fetch(`/files/${encodeURIComponent(shown.name)}/jobs`);
    if (!answer.ok) { window.location.assign("/"); return; } // it was removed
    value = await answer.json();
    if (signature(value) !== signature(shown)) await renew();
  } catch {
    $("lost").hidden = false;
    waiting = setTimeout(watch, 5000);
    return;
  }
  $("lost").hidden = true;
  shown = value;
  for (const job of value.jobs) {
    const bar = document.querySelector(`#job-${job.number} progress`);
    if (bar && job.far.share) bar.value = Math.round(100 * job.far.share);
    const left = document.querySelector(`#job-${job.number} .far`);
    if (left) left.textContent = job.far.left || "";
    const log = document.querySelector(`#job-${job.number} .log`);
    if (log && log.textContent !== job.log) log.textContent = job.log;
  }
  if (value.jobs.some((job) => job.state === "running")) waiting = setTimeout(watch, 1000);
}

if (shown) {
  if (shown.jobs.some((job) => job.state === "running")) waiting = setTimeout(watch, 1000);
  window.addEventListener("focus", watch); // another tab may have done something
}
