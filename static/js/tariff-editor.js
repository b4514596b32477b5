"use strict";
// The tariff editor: rows that come and go, a week to draw in, and a preview after every change.
// The server draws the week and says the words; without this script its Preview button does the same.

(() => {
  const WAIT = 350; // ms after the last key
  const SNAP = 15; // minutes
  const EDGE = 7; // pixels

  let root = document.querySelector("[data-tariff-editor]");
  if (!root) return;
  const form = root.closest("form");
  const panel = form.querySelector("[data-preview]");
  const words = panel.querySelector("[data-words]");
  const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

  const clock = (minute) =>
    `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  const minutes = (text) => {
    const found = /^(\d\d):(\d\d)$/.exec(text.trim());
    return found ? Number(found[1]) * 60 + Number(found[2]) : null;
  };

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

  // --- Drawing in the week

  const place = (drawing, event) => {
    const frame = drawing.getBoundingClientRect();
    const [side, top, foot] = ["side", "top", "foot"].map((key) => Number(drawing.dataset[key]));
    const x = ((event.clientX - frame.left) / frame.width) * 100;
    const y = ((event.clientY - frame.top) / frame.height) * 100;
    const column = (100 - side) / 7;
    const rtl = "rtl" in drawing.dataset;
    const day = rtl ? 6 - Math.floor(x / column) : Math.floor((x - side) / column);
    const minute = ((y - top) / (100 - top - foot)) * 1440;
    return {
      day: Math.max(0, Math.min(6, day)),
      minute: Math.max(0, Math.min(1440, Math.round(minute / SNAP) * SNAP)),
      outside: y < top || (rtl ? x > 100 - side : x < side),
      x: (one, days) => (rtl ? (6 - one - days + 1) * column : side + one * column),
      y: (one) => top + (one * (100 - top - foot)) / 1440,
      column,
    };
  };

  const ghost = (drawing) => {
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
    rect.setAttribute("class", "week__ghost");
    text.setAttribute("class", "week__times");
    drawing.append(rect, text);
    return {
      show(at, days, begin, end) {
        const x = at.x(days[0], days.length);
        const width = at.column * days.length;
        rect.setAttribute("x", `${x}%`);
        rect.setAttribute("width", `${width}%`);
        rect.setAttribute("y", `${at.y(begin)}%`);
        rect.setAttribute("height", `${at.y(end) - at.y(begin)}%`);
        text.setAttribute("x", `${x + width / 2}%`);
        text.setAttribute("y", `${(at.y(begin) + at.y(end)) / 2}%`);
        text.textContent = `${clock(begin)}–${clock(end)}`;
      },
      remove() {
        rect.remove();
        text.remove();
      },
    };
  };

  const range = (from, to) => {
    const [low, high] = from < to ? [from, to] : [to, from];
    return Array.from({ length: high - low + 1 }, (_, step) => low + step);
  };

  const newBand = (drawing, days, begin, end) => {
    const others = bandRows();
    const crossed = [...drawing.querySelectorAll("[data-band]")].some(
      ({ dataset }) =>
        days.includes(Number(dataset.day)) && Number(dataset.begin) < end && begin < Number(dataset.end),
    );
    const row = addRow(root.querySelector('[data-rows="bands"]'));
    for (const day of row.querySelectorAll("[name$='.days']")) {
      day.checked = days.includes(weekdays.indexOf(day.value));
    }
    box(row, "from").value = clock(begin);
    box(row, "to").value = clock(end);
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

  const choose = (row) => {
    for (const other of bandRows()) other.classList.toggle("is-chosen", other === row);
    for (const block of root.querySelectorAll("[data-band]")) {
      block.classList.toggle("is-chosen", block.dataset.band === row.dataset.bandRow);
    }
  };

  const rowOf = (block) => block && root.querySelector(`[data-band-row="${block.dataset.band}"]`);

  /** Say which edge of a band is under the pointer: one that the band itself has. */
  const edgeAt = (block, event) => {
    const row = rowOf(block);
    if (!row) return null;
    const frame = block.querySelector("rect").getBoundingClientRect();
    const [from, to] = [box(row, "from"), box(row, "to")];
    const { begin, end } = block.dataset;
    if (event.clientY - frame.top < EDGE && minutes(from.value) === Number(begin)) {
      return { input: from, other: Number(end), last: 1425 };
    }
    if (frame.bottom - event.clientY < EDGE && minutes(to.value) === Number(end)) {
      return { input: to, other: Number(begin), last: 1440 };
    }
    return null;
  };

  document.addEventListener("pointermove", (event) => {
    const drawing = root.contains(event.target) && event.target.closest(".week__drawing");
    if (!drawing || event.buttons) return;
    const block = event.target.closest("[data-band]");
    drawing.classList.toggle("is-edge", Boolean(block && edgeAt(block, event)));
  });

  document.addEventListener("pointerdown", (event) => {
    const drawing = root.contains(event.target) && event.target.closest(".week__drawing");
    if (!drawing || event.button || event.pointerType === "touch") return;
    const first = place(drawing, event);
    if (first.outside) return;
    event.preventDefault();
    const block = event.target.closest("[data-band]");
    const edge = block && edgeAt(block, event);
    const drawn = ghost(drawing);
    let last = first;
    const span = () => (edge ? [edge.other, Math.min(last.minute, edge.last)] : [first.minute, last.minute]);
    const move = (moved) => {
      last = place(drawing, moved);
      const [begin, end] = span().sort((one, two) => one - two);
      const days = edge ? [Number(block.dataset.day)] : range(first.day, last.day);
      drawn.show(last, days, begin, end);
    };
    const stop = (kept) => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", up);
      document.removeEventListener("pointercancel", cancel);
      document.removeEventListener("keydown", escape);
      drawn.remove();
      if (kept) finish();
    };
    const up = () => stop(true);
    const cancel = () => stop(false);
    const escape = (pressed) => pressed.key === "Escape" && stop(false);
    const finish = () => {
      const [begin, end] = span().sort((one, two) => one - two);
      if (edge && begin !== end && last.minute !== first.minute) {
        edge.input.value = clock(Math.min(last.minute, edge.last));
        choose(rowOf(block));
        refresh();
      } else if (!edge && end - begin >= SNAP) {
        newBand(drawing, range(first.day, last.day), begin, end);
      } else if (rowOf(block)) {
        choose(rowOf(block));
        rowOf(block).scrollIntoView({ block: "center" });
        box(rowOf(block), "from").focus({ preventScroll: true });
      }
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", up);
    document.addEventListener("pointercancel", cancel);
    document.addEventListener("keydown", escape);
  });

  // A touch scrolls, so a tap only chooses.
  document.addEventListener("click", (event) => {
    if (event.pointerType !== "touch" || !root.contains(event.target)) return;
    const row = rowOf(event.target.closest("[data-band]"));
    if (!row) return;
    choose(row);
    row.scrollIntoView({ block: "center" });
  });

  showAuthor();
})();
