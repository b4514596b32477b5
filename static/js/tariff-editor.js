"use strict";
// The tariff editor: rows that come and go, a week to draw in, and a preview after every change.
// The server draws the week and says the words; without this script its Preview button does the same.
// tariff-week.js tells of what is drawn: "week:draw", "week:move" and "week:choose".

(() => {
  const WAIT = 350; // ms after the last key

  let root = document.querySelector("[data-tariff-editor]");
  if (!root) return;
  const form = root.closest("form");
  const panel = form.querySelector("[data-preview]");
  const words = panel.querySelector("[data-words]");
  const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

  // --- Rows

  let counter = 1000;
  const addRow = (list) => {
    const template = list.querySelector(":scope > template");
    const mark = list.dataset.rows.endsWith(".tiers") ? "__tier__" : "__row__";
    counter += 1;
    const holder = document.createElement("template");
    holder.innerHTML = template.innerHTML.replaceAll(mark, String(counter));
    const row = holder.content.firstElementChild;
    template.before(row);
    return row;
  };
  const box = (row, key) => row.querySelector(`[name="document:${row.dataset.path}.${key}"]`);
  const bandRows = () => [...root.querySelectorAll("[data-band-row]")];

  // --- Preview

  /** Find what stands for a path, or for the nearest key around it. */
  const placeOf = (path) => {
    for (let at = path; at; at = at.slice(0, Math.max(at.lastIndexOf("."), at.lastIndexOf("["), 0))) {
      const found = root.querySelector(`[data-path="${CSS.escape(at)}"]`);
      if (found) return found;
    }
    return null;
  };
  const say = ({ path, messages }) => {
    const place = placeOf(path);
    const line = place
      ? place.querySelector(":scope > [data-wrong]")
      : root.querySelector("[data-general]");
    const said = messages.join(" ");
    line.textContent += `${line.textContent && " "}${place ? said : `${path} ${said}`.trim()}`;
    const input = place && place.matches(".tariff-box") && place.querySelector("input, select, textarea");
    if (input) input.setAttribute("aria-invalid", "true");
    const group = place && place.closest("details");
    if (group) group.open = true;
  };
  const showProblems = (problems) => {
    for (const line of root.querySelectorAll("[data-wrong], [data-general]")) line.textContent = "";
    for (const input of root.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    problems.forEach(say);
  };

  let request = null;
  const ask = async (extra = {}) => {
    if (request) request.abort();
    const mine = new AbortController();
    request = mine;
    const data = new FormData(form);
    for (const [name, value] of Object.entries(extra)) data.set(name, value);
    panel.classList.add("is-waiting");
    try {
      const answer = await fetch(panel.dataset.preview, {
        method: "POST",
        body: data,
        credentials: "same-origin",
        signal: mine.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      return await answer.json();
    } catch (error) {
      if (error.name !== "AbortError") panel.classList.add("is-stale");
      return null;
    } finally {
      if (request === mine) panel.classList.remove("is-waiting");
    }
  };

  const refresh = async () => {
    const found = await ask();
    if (!found) return;
    panel.classList.remove("is-stale");
    words.innerHTML = found.preview;
    root.querySelector("[data-week]").innerHTML = found.week;
    showProblems(found.problems);
    offerClasses();
  };
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, WAIT);
  };

  // The question may name the classes that the fields name.
  const offerClasses = () => {
    const choice = form.querySelector("#ask-vehicle_class");
    const names = [...root.querySelectorAll('[name^="document:vehicle_classes"][name$=".name"]')]
      .map((input) => input.value)
      .filter((name) => name.trim());
    for (const option of [...choice.options].slice(1)) {
      if (!names.includes(option.value) && !option.selected) option.remove();
    }
    const known = [...choice.options].map((option) => option.value);
    names.filter((name) => !known.includes(name)).forEach((name) => choice.add(new Option(name, name)));
  };

  // --- Who writes: fields or JSON

  const author = () => root.querySelector('[name="document:author"]:checked').value;
  const showAuthor = () => {
    root.classList.add("is-live");
    root.classList.toggle("is-json", author() === "json");
    const hint = root.querySelector("[data-needs-script]");
    hint.hidden = false;
  };
  const changeAuthor = async (wanted) => {
    const other = wanted === "json" ? "fields" : "json";
    clearTimeout(timer); // a preview that is still to come would break this off
    const found = await ask({ "document:author": other, render: wanted });
    if (found && found.editor) {
      const holder = document.createElement("template");
      holder.innerHTML = found.editor.trim();
      const fresh = holder.content.querySelector("[data-tariff-editor]");
      root.replaceWith(fresh);
      root = fresh;
      showAuthor();
      root.querySelector('[name="document:author"]:checked').focus();
      return;
    }
    root.querySelector(`[name="document:author"][value="${other}"]`).checked = true;
    if (found) showProblems(found.problems);
  };

  form.addEventListener("click", (event) => {
    const adder = event.target.closest("[data-add]");
    if (adder) {
      event.preventDefault();
      const row = addRow(adder.closest("[data-rows]"));
      row.querySelector("input:not([type=checkbox]), select").focus();
    }
    if (event.target.closest("[name=_preview]")) {
      event.preventDefault();
      refresh();
    }
  });
  form.addEventListener("input", (event) => {
    if (root.contains(event.target) || panel.contains(event.target)) later();
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "document:author") {
      changeAuthor(event.target.value);
    } else if (event.target.matches("[data-remove]")) {
      const row = event.target.closest("[data-row]");
      const next = row.nextElementSibling && row.nextElementSibling.querySelector("input");
      row.remove();
      (next || root.querySelector("[data-add]")).focus();
      later();
    }
  });

  // --- What the week says: see tariff-week.js

  const choose = (row) => {
    for (const other of bandRows()) other.classList.toggle("is-chosen", other === row);
    for (const block of root.querySelectorAll("[data-band]")) {
      block.classList.toggle("is-chosen", block.dataset.band === row.dataset.bandRow);
    }
  };

  const newBand = ({ days, from, to, crossed }) => {
    const others = bandRows();
    const row = addRow(root.querySelector('[data-rows="bands"]'));
    for (const day of row.querySelectorAll("[name$='.days']")) {
      day.checked = days.includes(weekdays.indexOf(day.value));
    }
    box(row, "from").value = from;
    box(row, "to").value = to;
    // What is drawn over other bands shall hold there.
    const ranks = others.map((other) => Number(box(other, "priority").value) || 0);
    if (crossed) box(row, "priority").value = String(Math.min(0, ...ranks) - 1);
    const price = row.querySelector("[name$='.per_hour']");
    const last = others.at(-1);
    if (last) price.value = last.querySelector("[name$='.per_hour']").value;
    choose(row);
    price.focus({ preventScroll: true });
    price.select();
    refresh();
  };

  form.addEventListener("week:draw", (event) => newBand(event.detail));
  form.addEventListener("week:move", () => refresh());
  form.addEventListener("week:choose", (event) => choose(event.target));

  showAuthor();
})();
