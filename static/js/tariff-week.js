"use strict";
// Drawing in the week of the tariff editor. It knows the rows of the form only by the names of their
// fields, and tells the form what was done: "week:draw", "week:move", "week:choose".

(() => {
  const SNAP = 15; // minutes
  const EDGE = 7; // pixels

  const clock = (minute) =>
    `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  const minutes = (text) => {
    const found = /^(\d\d):(\d\d)$/.exec(text.trim());
    return found ? Number(found[1]) * 60 + Number(found[2]) : null;
  };
  const tell = (element, type, detail) =>
    element.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  const drawingAt = (event) => event.target.closest("[data-tariff-editor] .week__drawing");
  const box = (row, key) => row.querySelector(`[name="document:${row.dataset.path}.${key}"]`);

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

  /** Say whether hours on some days lie over a band that is drawn there. */
  const crosses = (drawing, days, begin, end) =>
    [...drawing.querySelectorAll("[data-band]")].some(
      ({ dataset }) =>
        days.includes(Number(dataset.day)) && Number(dataset.begin) < end && begin < Number(dataset.end),
    );

  const rowOf = (block) => block && document.querySelector(`[data-band-row="${block.dataset.band}"]`);

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
    const drawing = drawingAt(event);
    if (!drawing || event.buttons) return;
    const block = event.target.closest("[data-band]");
    drawing.classList.toggle("is-edge", Boolean(block && edgeAt(block, event)));
  });

  document.addEventListener("pointerdown", (event) => {
    const drawing = drawingAt(event);
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
        tell(rowOf(block), "week:choose");
        tell(rowOf(block), "week:move");
      } else if (!edge && end - begin >= SNAP) {
        const days = range(first.day, last.day);
        const crossed = crosses(drawing, days, begin, end);
        tell(drawing, "week:draw", { days, from: clock(begin), to: clock(end), crossed });
      } else if (rowOf(block)) {
        tell(rowOf(block), "week:choose");
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
    if (event.pointerType !== "touch" || !drawingAt(event)) return;
    const row = rowOf(event.target.closest("[data-band]"));
    if (!row) return;
    tell(row, "week:choose");
    row.scrollIntoView({ block: "center" });
  });
})();
