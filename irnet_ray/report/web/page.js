"use strict";

// What is unchecked is hidden by one style sheet, whatever the number of elements.
const filters = document.querySelector(".filters");
if (filters) {
  const rules = document.head.appendChild(document.createElement("style"));
  const lists = new Set(["model", "depth"]);  // a finding has several
  const boxes = [...filters.querySelectorAll("input")];
  const apply = () => {
    const unchecked = boxes.filter((box) => !box.checked);
    const hidden = unchecked.map((box) => `[data-${box.name}${lists.has(box.name) ? "~" : ""}="${CSS.escape(box.value)}"]`);
    if (unchecked.some((box) => box.name === "depth")) hidden.push('[data-depth="all"]');
    const selector = hidden.join(",");
    rules.textContent = selector && `${selector} { display: none !important; }`;
    for (const group of document.querySelectorAll(".question, .claim-group")) {
      group.hidden = selector && [...group.querySelectorAll(".finding")].every((finding) => finding.matches(selector));
    }
  };
  filters.addEventListener("change", apply);
  filters.addEventListener("reset", () => setTimeout(apply));
  filters.hidden = false;
  apply();  // browsers keep what was checked when a page is loaded again
}

// A mark of a figure near the pointer shows its trials, and where else they are.
const trials = JSON.parse(document.getElementById("trials").textContent);
const tip = document.querySelector(".tip");
const found = document.head.appendChild(document.createElement("style"));
const around = [[0, 0], [4, 0], [-4, 0], [0, 4], [0, -4], [6, 6], [-6, 6], [6, -6], [-6, -6]];
const most = 6;

const markAt = (x, y) => {
  for (const [right, down] of around) {
    const mark = document.elementFromPoint(x + right, y + down)?.closest(".drawing [data-trials]");
    if (mark) return mark;
  }
  return null;
};

let reached = null;  // the mark that a key went to

const hideTip = () => {
  tip.hidden = true;
  found.textContent = "";
};

const showTip = (mark, x, y) => {
  const ids = mark.dataset.trials.split(" ");
  const more = ids.length > most ? `\n… and ${ids.length - most} more` : "";
  tip.hidden = false;  // first, or it is not read out
  tip.textContent = ids.slice(0, most).map((id) => trials[id] ?? id).join("\n") + more;
  const width = tip.offsetWidth, height = tip.offsetHeight;
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - width - 8))}px`;
  tip.style.top = `${Math.max(8, y + height + 24 > innerHeight ? y - height - 12 : y + 16)}px`;
  const places = ids.map((id) => `.drawing [data-trials~="${id}"]`).join(",");
  found.textContent = `${places} { filter: drop-shadow(0 0 2px var(--ink)); }`;
};

const point = (event) => {
  reached = null;
  const mark = event.target.closest?.(".drawing") ? markAt(event.clientX, event.clientY) : null;
  if (mark) showTip(mark, event.clientX, event.clientY);
  else hideTip();
};

// Arrow keys go from mark to mark of the figure that has the focus.
const step = (drawing, by) => {
  const marks = [...drawing.querySelectorAll("[data-trials]")].filter((mark) => mark.getClientRects().length);
  if (!marks.length) return;
  const next = marks.includes(reached) ? marks.indexOf(reached) + by : by > 0 ? 0 : -1;
  const mark = reached = marks.at(next % marks.length);
  mark.scrollIntoView({ block: "nearest", inline: "nearest" });
  requestAnimationFrame(() => {  // after the scrolling, which hides the tip
    const box = mark.getBoundingClientRect();
    showTip(mark, box.x + box.width / 2, box.y + box.height / 2);
  });
};

const press = (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (event.key === "Escape") hideTip();
  else if (by && event.target.matches(".drawing")) {
    event.preventDefault();
    step(event.target, by);
  }
};

document.addEventListener("pointermove", point, { passive: true });
document.addEventListener("pointerdown", point, { passive: true });
document.addEventListener("scroll", hideTip, { capture: true, passive: true });  // of a figure, too
document.addEventListener("focusout", (event) => event.target.contains(reached) && hideTip());
document.addEventListener("keydown", press);

// Paper has no way to open what is folded.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
