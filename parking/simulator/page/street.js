"use strict";

// What a lamp says, in a word that fits beneath it, and in full for the legend.
const WORDS = [
  ["green", "slow_blink", "soon", "Reserved, starts soon"],
  ["green", "steady", "booked", "Booked, running"],
  ["green", "fast_blink", "ending", "Last minutes"],
  ["red", "steady", "closed", "Closed"],
  ["red", "blink", "unpaid", "Occupied and unpaid"],
  ["amber", "double_blink", "no plan", "Fault or no plan"],
  ["off", "none", "off", "Off"],
];
const BAY = 45;
const MARGIN = 3;
const SVG = "http://www.w3.org/2000/svg";
const POLL_MS = 700;

const byId = (id) => document.getElementById(id);
const meters = new Map(); // serial → what street.json said last
const drawn = new Map(); // serial → the list item that shows it
let version = -1;
let opened = null;

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function shape(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function meaning(lamp) {
  const known = WORDS.find(([light, pattern]) => light === lamp.light && pattern === lamp.pattern);
  const plain = `${lamp.light} ${lamp.pattern.replace("_", " ")}`;
  return known ? { word: known[2], full: known[3] } : { word: lamp.light, full: plain };
}

function lampShape(x, y, lamp) {
  return shape(
    "g",
    { class: "lamp", "data-light": lamp.light, "data-pattern": lamp.pattern },
    shape("circle", { class: "socket", cx: x, cy: y, r: 9.5 }),
    shape("circle", { class: "ring ring--one", cx: x, cy: y, r: 12 }),
    shape("circle", { class: "ring ring--two", cx: x, cy: y, r: 14.5 }),
    shape("circle", { class: "unlit", cx: x, cy: y, r: 6.5 }),
    shape(
      "g",
      { class: "lit" },
      shape("circle", { class: "glow", cx: x, cy: y, r: 14 }),
      shape("circle", { class: "bulb", cx: x, cy: y, r: 6.5 }),
    ),
  );
}

function car(x) {
  return shape(
    "g",
    {},
    shape("rect", { class: "car", x: x - 13, y: 98, width: 26, height: 50, rx: 8 }),
    shape("rect", { class: "car__glass", x: x - 10, y: 109, width: 20, height: 8, rx: 2.5 }),
    shape("rect", { class: "car__glass", x: x - 9, y: 135, width: 18, height: 5, rx: 2 }),
  );
}

function drawing(meter) {
  const width = BAY * 8 + MARGIN * 2;
  const picture = shape("svg", { viewBox: `0 0 ${width} 190`, "aria-hidden": "true" });
  const middle = width / 2;
  picture.append(
    shape("rect", { class: "pavement", width, height: 84 }),
    shape("rect", { class: "kerb", y: 84, width, height: 4 }),
    shape("rect", { class: "asphalt", y: 88, width, height: 102 }),
    shape("line", { class: "dashes", x1: 7, x2: width, y1: 184, y2: 184 }),
    shape("rect", { class: "pole", x: middle - 1, y: 18, width: 2, height: 66 }),
    shape("rect", { class: "head", x: MARGIN + 2, y: 25, width: width - MARGIN * 2 - 4, height: 26, rx: 13 }),
  );
  const label = shape("text", { class: "serial", x: MARGIN + 6, y: 17 });
  label.textContent = meter.online ? meter.serial : `${meter.serial} · offline`;
  picture.append(label);
  for (const lamp of meter.lamps) {
    const left = MARGIN + BAY * (lamp.lamp - 1);
    const x = left + BAY / 2;
    const word = shape("text", { class: "word", x, y: 71 });
    word.textContent = meaning(lamp).word;
    const number = shape("text", { class: "number", x, y: 168 });
    number.textContent = lamp.number;
    picture.append(
      shape("rect", { class: "bay", x: left, y: 90, width: BAY, height: 66 }),
      shape("path", { class: "paint", d: `M${left} 90v66M${left + BAY} 90v66` }),
    );
    if (lamp.occupied) picture.append(car(x));
    picture.append(number, lampShape(x, 38, lamp), word);
  }
  return picture;
}

function description(meter) {
  const said = meter.lamps.map((lamp) => `${lamp.number} ${meaning(lamp).word}`).join(", ");
  return `Meter ${meter.serial}${meter.online ? "" : ", offline"}: ${said}`;
}

function draw(meter) {
  let item = drawn.get(meter.serial);
  if (!item) {
    const button = element("button", { type: "button", class: "meter" });
    button.addEventListener("click", () => open(meter.serial));
    item = element("li", {}, button);
    drawn.set(meter.serial, item);
  }
  const button = item.firstChild;
  button.setAttribute("data-online", String(meter.online));
  button.setAttribute("aria-label", description(meter));
  button.replaceChildren(drawing(meter));
}

// Along a street that runs east to west by longitude, otherwise by latitude.
function inOrder(some) {
  const spread = (key) => Math.max(...some.map((m) => m[key])) - Math.min(...some.map((m) => m[key]));
  const key = spread("lon") >= spread("lat") * 2 ? "lon" : "lat";
  return [...some].sort((a, b) => a[key] - b[key] || a.serial.localeCompare(b.serial));
}

function chosen() {
  const zone = byId("zone").value;
  const street = byId("street").value;
  const lit = byId("lit").checked;
  return [...meters.values()].filter(
    (meter) =>
      (!zone || meter.zone === zone) &&
      (!street || meter.street === street) &&
      (!lit || meter.lamps.some((lamp) => lamp.light !== "off")),
  );
}

let layout = "";
function arrange() {
  const groups = new Map();
  for (const meter of chosen()) {
    const key = `${meter.zone}\n${meter.street}`;
    groups.set(key, [...(groups.get(key) || []), meter]);
  }
  const ordered = [...groups].sort(([a], [b]) => a.localeCompare(b));
  const wanted = JSON.stringify(ordered.map(([key, some]) => [key, some.map((m) => m.serial).sort()]));
  byId("empty").hidden = ordered.length > 0 || version < 0;
  if (wanted === layout) return; // nothing moves under the reader's hand
  layout = wanted;
  byId("streets").replaceChildren(
    ...ordered.map(([key, some]) => {
      const [zone, street] = key.split("\n");
      const title = element("h2", {}, street || "Street without a name");
      const lamps = some.reduce((sum, meter) => sum + meter.lamps.length, 0);
      const note = element("span", { class: "road__zone" }, `${zone} · ${some.length} meters, ${lamps} lamps`);
      const list = element("ul", { class: "road__meters" }, ...inOrder(some).map((m) => drawn.get(m.serial)));
      return element("section", { class: "road" }, element("div", { class: "road__head" }, title, note), list);
    }),
  );
}

function options(id, values) {
  const select = byId(id);
  const known = [...select.options].slice(1).map((option) => option.value);
  if (known.join("\n") === values.join("\n")) return;
  const kept = select.value;
  select.replaceChildren(select.options[0], ...values.map((value) => element("option", { value }, value)));
  select.value = values.includes(kept) ? kept : "";
}

function choices() {
  const all = [...meters.values()];
  const names = (some, key) => [...new Set(some.map((meter) => meter[key]))].filter(Boolean).sort();
  options("zone", names(all, "zone"));
  const zone = byId("zone").value;
  options("street", names(all.filter((meter) => !zone || meter.zone === zone), "street"));
}

function counts() {
  const lamps = [...meters.values()].flatMap((meter) => meter.lamps);
  byId("counts").replaceChildren(
    ...WORDS.map(([light, pattern, , full]) => {
      const many = lamps.filter((lamp) => lamp.light === light && lamp.pattern === pattern).length;
      const picture = shape("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, lampShape(10, 10, { light, pattern }));
      return element("div", {}, element("dt", {}, picture, ` ${full}`), element("dd", {}, String(many)));
    }),
  );
}

function pulse(text) {
  if (byId("pulse").textContent !== text) byId("pulse").textContent = text;
}

async function look() {
  try {
    const answer = await fetch(`street.json?since=${version}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const view = await answer.json();
    if (view.version < version) meters.clear(); // the street was started anew
    for (const meter of view.meters) {
      const before = JSON.stringify(meters.get(meter.serial));
      meters.set(meter.serial, meter);
      // A lamp that goes on as before must not blink anew with every heartbeat.
      if (JSON.stringify(meter) !== before || !drawn.has(meter.serial)) draw(meter);
    }
    for (const serial of view.gone) {
      meters.delete(serial);
      drawn.delete(serial);
    }
    const anew = view.version < version;
    const changed = anew || view.meters.length > 0 || view.gone.length > 0 || version < 0;
    version = anew ? -1 : view.version;
    if (changed) {
      choices();
      counts();
      arrange();
    }
    const offline = [...meters.values()].filter((meter) => !meter.online).length;
    pulse(`${meters.size} meters${offline ? `, ${offline} offline` : ""} · live`);
  } catch {
    pulse("The simulator does not answer. Trying again…");
  }
  setTimeout(look, document.hidden ? POLL_MS * 5 : POLL_MS);
}

function time(text) {
  const moment = new Date(text);
  const hours = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (moment.toDateString() === new Date().toDateString()) return hours;
  return `${moment.toLocaleDateString([], { weekday: "short" })} ${hours}`;
}

async function details() {
  if (!opened) return;
  try {
    const answer = await fetch(`meters/${encodeURIComponent(opened)}.json`, { cache: "no-store" });
    if (answer.ok) fill(await answer.json());
  } catch {
    pulse("The simulator does not answer. Trying again…");
  }
  if (opened) setTimeout(details, 1500);
}

function fill(meter) {
  byId("details-title").textContent = `Meter ${meter.serial}`;
  const facts = {
    Street: meter.street,
    Zone: meter.zone,
    Plan: `revision ${meter.revision}`,
    Battery: `${meter.battery_pct} %`,
    "Clock off by": `${meter.clock_off_s} s`,
    Boot: meter.boot_id,
  };
  byId("facts").replaceChildren(
    ...Object.entries(facts).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
  const numbers = new Map(meter.lamps.map((lamp) => [lamp.lamp, lamp.number]));
  const rows = meter.plan.flatMap(({ spot, plan }) =>
    plan.map((entry) => [numbers.get(spot) ?? spot, meaning(entry).full, time(entry.from), time(entry.to), entry.booking ?? "–"]),
  );
  byId("plan").replaceChildren(...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, String(cell))))));
  byId("no-plan").hidden = rows.length > 0;
  byId("log").replaceChildren(
    ...meter.log.map(({ at, ...rest }) => {
      const [[kind, text]] = Object.entries(rest);
      return element("li", {}, element("time", { datetime: at }, new Date(at).toLocaleTimeString()), `${kind}: ${text}`);
    }),
  );
}

function open(serial) {
  opened = serial;
  byId("details").showModal();
  details();
}

byId("details").addEventListener("close", () => {
  opened = null;
});
byId("filters").addEventListener("change", () => {
  choices();
  arrange();
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
look();
