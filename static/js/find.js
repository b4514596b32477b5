/* Map and list as one: the same search, in the address. Without this file the list still works. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const POLL_MS = 10_000;
  const LONGEST_PAUSE_MS = 80_000;
  const AFTER_MOVE_MS = 200;

  const frame = document.getElementById("map-frame");
  const results = document.getElementById("results");
  const note = document.getElementById("map-note");
  const announcer = document.getElementById("announcer");
  const words = readWords();

  let map = null;
  let spots = null;
  let ground = null;
  let spotsLayer = null;
  let zonesLayer = null;
  let zoneLabels = null;
  let state = readState();
  let timer = 0;
  let pause = POLL_MS;
  let asked = null;

  window.addEventListener("map:init", (event) => start(event.detail.map));

  /* --- The map ------------------------------------------------------------------------------ */

  async function start(newMap) {
    map = newMap;
    map.options.zoomSnap = 0.5;
    map.zoomControl.remove();
    L.control.zoom({ zoomInTitle: words["zoom-in"], zoomOutTitle: words["zoom-out"] }).addTo(map);
    try {
      const [groundData, spotsData] = await Promise.all([
        fetchJson(frame.dataset.streetsUrl),
        fetchJson(frame.dataset.spotsUrl),
      ]);
      ground = Curblight.readGround(groundData);
      spots = new Curblight.Spots(spotsData);
    } catch {
      say(words.failed);
      return;
    }
    map.createPane("ground").style.zIndex = 150;
    new Curblight.CanvasLayer(Curblight.paintStreets(ground), { pane: "ground" }).addTo(map);
    zonesLayer = new Curblight.CanvasLayer(Curblight.paintZones(ground, isOpen)).addTo(map);
    spotsLayer = new Curblight.CanvasLayer((context, view) => spots.paint(context, view)).addTo(map);
    zoneLabels = L.layerGroup();
    addAreaButton();
    applyState();
    if (!showPlace()) {
      fitSearch();
    }
    say("");
    window.addEventListener("hashchange", showPlace);
    map.on("moveend", onMove);
    map.on("click", onClick);
    map.on("mousemove", onHover);
    document.addEventListener("visibilitychange", refresh);
    refresh();
  }

  /* Go where the address says, such as #17/60.168/24.935; false if it says nothing. */
  function showPlace() {
    const [zoom, latitude, longitude] = location.hash.slice(1).split("/").map(Number);
    const isPlace = zoom && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
    if (isPlace) {
      map.setView([latitude, longitude], zoom, { animate: false });
    }
    return Boolean(isPlace);
  }

  /* Show what the search found: the chosen area, else the spots that the list keeps. */
  function fitSearch() {
    const box = new URLSearchParams(location.search).get("bbox");
    const corners = box ? box.split(",").map(Number) : [];
    const bounds =
      corners.length === 4 && corners.every(Number.isFinite)
        ? L.latLngBounds([corners[1], corners[0]], [corners[3], corners[2]])
        : spots.boundsOf(() => true);
    if (bounds.isValid()) {
      map.fitBounds(bounds, { maxZoom: 18, padding: [24, 24], animate: false });
    }
  }

  function onMove() {
    const center = map.getCenter();
    const place = `#${map.getZoom()}/${center.lat.toFixed(5)}/${center.lng.toFixed(5)}`;
    history.replaceState(history.state, "", place);
    showZones();
    clearTimeout(timer);
    timer = setTimeout(refresh, AFTER_MOVE_MS);
  }

  function onHover(event) {
    const place = spots.near(map, event.containerPoint);
    map.getContainer().style.cursor = place < 0 ? "" : "pointer";
    light(place);
  }

  function onClick(event) {
    const place = spots.near(map, event.containerPoint);
    if (place >= 0) {
      openSpot(place);
    }
  }

  function openSpot(place) {
    const { layer } = spots;
    const box = document.createElement("div");
    box.className = "map-popup";
    add(add(box, "p", ""), "strong", `${words.spot} ${layer.number[place]}`);
    add(box, "p", layer.streets[layer.street[place]]);
    const features = spots.featuresOf(place).map((name) => words[name] || name);
    if (features.length) {
      add(box, "p", features.join(", "));
    }
    const is = spots.state(place);
    const offer = (state.zones || {})[layer.zone[place]];
    const more = { free: offer?.price, closed: offer?.reasons.join(" ") }[is];
    add(box, "p", more ? `${words[is]} · ${more}` : words[is]);
    const link = add(box, "a", is === "free" ? words.choose : words.look);
    link.className = "button button--small";
    link.href = `${frame.dataset.spotUrl.replace("/0/", `/${layer.id[place]}/`)}?${state.stay || ""}`;
    const popup = L.popup().setLatLng(spots.latLng(place)).setContent(box).openOn(map);
    const close = popup.getElement().querySelector(".leaflet-popup-close-button");
    close.setAttribute("aria-label", words.close);
    light(place);
  }

  function light(place) {
    if (spots.lit === place) {
      return;
    }
    spots.lit = place;
    spotsLayer.redraw();
    for (const lit of results.querySelectorAll("[data-lit]")) {
      lit.removeAttribute("data-lit");
    }
    if (place >= 0) {
      const row = results.querySelector(`[data-spot-id="${spots.layer.id[place]}"]`);
      if (row) {
        row.setAttribute("data-lit", "");
      }
    }
  }

  function isOpen(zoneId) {
    const zone = (state.zones || {})[zoneId];
    return !zone || zone.price !== null;
  }

  /* From afar each zone says how many of its spots are free; close by the spots say it. */
  function showZones() {
    zoneLabels.clearLayers();
    if (map.getZoom() >= Curblight.SPOTS_FROM_ZOOM) {
      zoneLabels.remove();
      return;
    }
    zoneLabels.addTo(map);
    const counts = spots.zoneCounts();
    const labels = ground.zones
      .filter((zone) => counts.has(zone.id))
      .map((zone) => labelZone(zone, counts.get(zone.id)));
    for (const level of ["whole", "short", "number"]) {
      labels.forEach((label) => label.setAttribute("data-level", level));
      const boxes = labels.map((label) => label.getBoundingClientRect());
      if (!boxes.some((box, place) => boxes.slice(place + 1).some((other) => crosses(box, other)))) {
        break;
      }
    }
  }

  function labelZone(zone, { free, total }) {
    const offer = (state.zones || {})[zone.id];
    const text = isOpen(zone.id)
      ? words["free-of"].replace("{free}", free).replace("{total}", total)
      : words.closed;
    const price = (isOpen(zone.id) && offer?.price) || "";
    const label = document.createElement("div");
    add(label, "strong", zone.name);
    add(label, "span", text);
    add(label, "span", price ? ` · ${price}` : "").className = "map-zone__price";
    add(label, "span", isOpen(zone.id) ? free : "–").className = "map-zone__free";
    const icon = L.divIcon({ html: label, className: "map-zone", iconSize: null });
    const marker = L.marker([zone.at[1], zone.at[0]], { icon }).addTo(zoneLabels);
    const show = () => showZone(zone);
    marker.on("click", show);
    marker.on("keypress", (event) => event.originalEvent.key === "Enter" && show());
    const element = marker.getElement();
    element.setAttribute("aria-label", [zone.name, text, price].filter(Boolean).join(", "));
    element.toggleAttribute("data-closed", !isOpen(zone.id));
    return element;
  }

  function crosses(one, other) {
    return (
      one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
    );
  }

  /* Go so near that the zone's spots are drawn. */
  function showZone(zone) {
    const bounds = spots.boundsOf((place) => spots.layer.zone[place] === zone.id);
    const zoom = Math.max(Curblight.SPOTS_FROM_ZOOM, map.getBoundsZoom(bounds.pad(0.1)));
    map.setView(bounds.getCenter(), Math.min(zoom, 18));
  }

  function addAreaButton() {
    const control = L.control({ position: "topright" });
    control.onAdd = () => {
      const button = L.DomUtil.create("button", "map-area");
      button.type = "button";
      button.textContent = words.area;
      L.DomEvent.disableClickPropagation(button);
      L.DomEvent.on(button, "click", () => {
        const bounds = map.getBounds();
        const corners = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
        const search = new URLSearchParams(new FormData(document.getElementById("search")));
        search.set("bbox", corners.map((corner) => corner.toFixed(5)).join(","));
        load(`?${search}`, { moveMap: false });
      });
      return button;
    };
    control.addTo(map);
  }

  /* --- What is busy ------------------------------------------------------------------------- */

  async function refresh() {
    clearTimeout(timer);
    if (!spots || document.hidden || !state.from) {
      return;
    }
    if (asked) {
      asked.abort();
    }
    const mine = (asked = new AbortController());
    const bounds = map.getBounds().pad(0.2);
    const query = new URLSearchParams({
      bbox: [
        Math.max(-180, bounds.getWest()),
        Math.max(-90, bounds.getSouth()),
        Math.min(180, bounds.getEast()),
        Math.min(90, bounds.getNorth()),
      ].join(","),
      from: state.from,
      to: state.to,
    });
    try {
      const answer = await fetchJson(`${frame.dataset.busyUrl}?${query}`, mine.signal);
      spots.setBusy(answer.busy);
      spotsLayer.redraw();
      showZones();
      say("");
      pause = POLL_MS;
    } catch {
      if (mine.signal.aborted) {
        return;
      }
      say(words.stale);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
    timer = setTimeout(refresh, pause);
  }

  function applyState() {
    const zoneNames = new Map(ground.zones.map((zone) => [zone.id, zone.name]));
    const zone = ground.zones.find((one) => one.code === state.zone);
    spots.isKnown = Boolean(state.from);
    spots.closedZones = new Set(
      Object.entries(state.zones || {})
        .filter(([, offer]) => offer.price === null)
        .map(([id]) => Number(id)),
    );
    spots.filter({
      words: Curblight.searchWords(state.place || ""),
      zoneId: zone ? zone.id : null,
      features: state.features || [],
      zoneNames,
    });
    zonesLayer.redraw();
    spotsLayer.redraw();
    showZones();
  }

  /* --- The list ----------------------------------------------------------------------------- */

  document.addEventListener("submit", (event) => {
    if (event.target.id === "search") {
      event.preventDefault();
      search();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.form && event.target.form.id === "search") {
      search();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-search]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      load(link.getAttribute("href"), { scroll: true });
    }
  });
  window.addEventListener("popstate", () => load(location.search || "?", { isBack: true }));
  for (const [kind, on] of [
    ["mouseover", true],
    ["focusin", true],
    ["mouseout", false],
    ["focusout", false],
  ]) {
    results.addEventListener(kind, (event) => {
      const row = event.target.closest("[data-spot-id]");
      if (spots && row) {
        const place = spots.place.get(Number(row.dataset.spotId));
        light(on && place !== undefined ? place : -1);
      }
    });
  }

  function search() {
    const form = document.getElementById("search");
    if (form.reportValidity()) {
      const filled = [...new FormData(form)].filter(([, value]) => value !== "");
      load(`?${new URLSearchParams(filled)}`);
    }
  }

  /* Fetch the page of another search and put its form and list in place of ours. */
  async function load(query, { isBack = false, moveMap = true, scroll = false } = {}) {
    results.setAttribute("aria-busy", "true");
    const mine = (load.asked = Symbol("load"));
    try {
      const answer = await fetch(query, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("results");
      if (mine !== load.asked) {
        return;
      }
      if (!fresh) {
        throw new Error("no list in the answer");
      }
      const focused = document.activeElement && document.activeElement.id;
      document.getElementById("search").replaceWith(page.getElementById("search"));
      results.replaceChildren(...fresh.childNodes);
      if (focused && document.getElementById(focused)) {
        document.getElementById(focused).focus({ preventScroll: true });
      }
    } catch {
      location.assign(query);
      return;
    }
    results.removeAttribute("aria-busy");
    if (!isBack) {
      history.pushState(null, "", query + location.hash);
    }
    if (scroll) {
      results.scrollIntoView({ block: "start" });
    }
    announcer.textContent = results.querySelector("h2, .notice")?.textContent.trim() || "";
    const before = state;
    state = readState();
    if (spots) {
      applyState();
      if (moveMap && (before.zone !== state.zone || before.place !== state.place)) {
        fitSearch();
      }
      refresh();
    }
  }

  /* --- Small things ------------------------------------------------------------------------- */

  function readState() {
    return JSON.parse(document.getElementById("map-state").textContent);
  }

  function readWords() {
    const found = {};
    for (const word of document.getElementById("map-words").content.querySelectorAll("[data-word]")) {
      found[word.dataset.word] = word.textContent;
    }
    return found;
  }

  async function fetchJson(url, signal) {
    const answer = await fetch(url, { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error(`${url}: ${answer.status}`);
    }
    return answer.json();
  }

  function say(text) {
    note.hidden = !text;
    note.textContent = text;
  }

  function add(parent, tag, text) {
    const child = document.createElement(tag);
    child.textContent = text;
    parent.append(child);
    return child;
  }
})();
