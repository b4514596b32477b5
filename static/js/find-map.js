/* The map of the find page: draws the search that it is given, and says what it is asked for. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const POLL_MS = 10_000;
  const LONGEST_PAUSE_MS = 80_000;
  const AFTER_MOVE_MS = 200;

  /* `frame` holds the addresses, `words` the texts; `say` shows a note, `onLight` is told the id
     of the spot under the pointer or null, `onArea` the corners of an area that is to be listed. */
  Curblight.FindMap = class {
    constructor({ frame, words, say, onLight, onArea }) {
      Object.assign(this, { frame, words, say, onLight, onArea });
      this.state = {};
      this.pause = POLL_MS;
      this.timer = 0;
    }

    async start(map, state) {
      const { dataset } = this.frame;
      this.map = map;
      map.options.zoomSnap = 0.5;
      map.zoomControl.remove();
      const titles = { zoomInTitle: this.words["zoom-in"], zoomOutTitle: this.words["zoom-out"] };
      L.control.zoom(titles).addTo(map);
      try {
        const layers = [dataset.streetsUrl, dataset.spotsUrl].map((url) => fetchJson(url));
        const [ground, spots] = await Promise.all(layers);
        this.ground = Curblight.readGround(ground);
        this.spots = new Curblight.Spots(spots);
      } catch {
        this.say(this.words.failed);
        return;
      }
      this.addLayers();
      this.addAreaButton();
      this.apply(state);
      if (!this.goToAddress()) {
        this.fit();
      }
      this.say("");
      map.on("moveend", () => this.moved());
      map.on("click", (event) => this.open(this.spots.near(map, event.containerPoint)));
      map.on("mousemove", (event) => this.hover(this.spots.near(map, event.containerPoint)));
      window.addEventListener("hashchange", () => this.goToAddress());
      document.addEventListener("visibilitychange", () => this.refresh());
      this.refresh();
    }

    get isReady() {
      return Boolean(this.zoneLabels);
    }

    addLayers() {
      const { map, ground, spots } = this;
      const layer = (paint, options) => new Curblight.CanvasLayer(paint, options).addTo(map);
      map.createPane("ground").style.zIndex = 150; // beneath the tiles, where there are any
      layer(Curblight.paintStreets(ground), { pane: "ground" });
      this.zonesLayer = layer(Curblight.paintZones(ground, (id) => this.isOpen(id)));
      this.spotsLayer = layer((context, view) => spots.paint(context, view));
      this.zoneLabels = L.layerGroup();
    }

    addAreaButton() {
      const control = L.control({ position: "topright" });
      control.onAdd = () => {
        const button = L.DomUtil.create("button", "map-area");
        button.type = "button";
        button.textContent = this.words.area;
        L.DomEvent.disableClickPropagation(button);
        L.DomEvent.on(button, "click", () => {
          const bounds = this.map.getBounds();
          this.onArea([bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()]);
        });
        return button;
      };
      control.addTo(this.map);
    }

    /* --- What is shown ---------------------------------------------------------------------- */

    /* Draw another search: its filters, and what each zone says of its time. */
    apply(state) {
      this.state = state;
      const zone = this.ground.zones.find((one) => one.code === state.zone);
      this.spots.isKnown = Boolean(state.from);
      this.spots.closedZones = new Set(
        this.ground.zones.map((one) => one.id).filter((id) => !this.isOpen(id)),
      );
      this.spots.filter({
        words: Curblight.searchWords(state.place || ""),
        zoneId: zone ? zone.id : null,
        features: state.features || [],
        zoneNames: new Map(this.ground.zones.map((one) => [one.id, one.name])),
      });
      this.zonesLayer.redraw();
      this.spotsLayer.redraw();
      this.showZones();
    }

    offerOf(zoneId) {
      return (this.state.zones || {})[zoneId];
    }

    isOpen(zoneId) {
      const offer = this.offerOf(zoneId);
      return !offer || offer.price !== null;
    }

    /* From afar each zone says how many of its spots are free; close by the spots say it. The
       labels are as long as they can be without lying over each other. */
    showZones() {
      this.zoneLabels.clearLayers();
      if (this.map.getZoom() >= Curblight.SPOTS_FROM_ZOOM) {
        this.zoneLabels.remove();
        return;
      }
      this.zoneLabels.addTo(this.map);
      const counts = this.spots.zoneCounts();
      const labels = this.ground.zones
        .filter((zone) => counts.has(zone.id))
        .map((zone) => this.labelZone(zone, counts.get(zone.id)));
      for (const level of ["whole", "short", "number"]) {
        labels.forEach((label) => label.setAttribute("data-level", level));
        const boxes = labels.map((label) => label.getBoundingClientRect());
        if (!boxes.some((box, place) => boxes.slice(place + 1).some((other) => crosses(box, other)))) {
          break;
        }
      }
    }

    labelZone(zone, { free, total }) {
      const isOpen = this.isOpen(zone.id);
      const figure = (value) => value.toLocaleString(document.documentElement.lang);
      const count = this.words["free-of"]
        .replace("{free}", figure(free))
        .replace("{total}", figure(total));
      const text = isOpen ? count : this.words.closed;
      const price = (isOpen && this.offerOf(zone.id)?.price) || "";
      const label = document.createElement("div");
      add(label, "strong", zone.name);
      add(label, "span", text);
      add(label, "span", price ? ` · ${price}` : "").className = "map-zone__price";
      add(label, "span", isOpen ? figure(free) : "–").className = "map-zone__free";
      const icon = L.divIcon({ html: label, className: "map-zone", iconSize: null });
      const marker = L.marker([zone.at[1], zone.at[0]], { icon }).addTo(this.zoneLabels);
      marker.on("click", () => this.showZone(zone));
      marker.on("keypress", ({ originalEvent }) => {
        if (originalEvent.key === "Enter") {
          this.showZone(zone);
        }
      });
      const element = marker.getElement();
      element.setAttribute("aria-label", [zone.name, text, price].filter(Boolean).join(", "));
      element.toggleAttribute("data-closed", !isOpen);
      return element;
    }

    open(place) {
      if (place < 0) {
        return;
      }
      const { map, spots, state, words } = this;
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
      const offer = this.offerOf(layer.zone[place]);
      const more = { free: offer?.price, closed: offer?.reasons.join(" ") }[is];
      add(box, "p", more ? `${words[is]} · ${more}` : words[is]);
      const link = add(box, "a", is === "free" ? words.choose : words.look);
      const address = this.frame.dataset.spotUrl.replace("/0/", `/${layer.id[place]}/`);
      link.className = "button button--small";
      link.href = `${address}?${state.stay || ""}`;
      const popup = L.popup().setLatLng(spots.latLng(place)).setContent(box).openOn(map);
      const close = popup.getElement().querySelector(".leaflet-popup-close-button");
      close.setAttribute("aria-label", words.close);
      this.hover(place);
    }

    hover(place) {
      this.map.getContainer().style.cursor = place < 0 ? "" : "pointer";
      this.mark(place);
    }

    /* Ring the spot with this id, or none. */
    light(id) {
      this.mark(this.spots.place.get(id) ?? -1);
    }

    mark(place) {
      if (this.spots.lit !== place) {
        this.spots.lit = place;
        this.spotsLayer.redraw();
        this.onLight(place < 0 ? null : this.spots.layer.id[place]);
      }
    }

    /* --- Where it is ------------------------------------------------------------------------ */

    /* Go where the address says, such as #17/60.168/24.935; false if it says nothing. */
    goToAddress() {
      const [zoom, latitude, longitude] = location.hash.slice(1).split("/").map(Number);
      const isPlace = zoom && Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;
      if (isPlace) {
        this.map.setView([latitude, longitude], zoom, { animate: false });
      }
      return Boolean(isPlace);
    }

    /* Show what the search found: the chosen area, else the spots that the list keeps. */
    fit() {
      const box = new URLSearchParams(location.search).get("bbox");
      const corners = box ? box.split(",").map(Number) : [];
      const bounds =
        corners.length === 4 && corners.every(Number.isFinite)
          ? L.latLngBounds([corners[1], corners[0]], [corners[3], corners[2]])
          : this.spots.boundsOf(() => true);
      if (bounds.isValid()) {
        this.map.fitBounds(bounds, { maxZoom: 18, padding: [24, 24], animate: false });
      }
    }

    /* Go so near that the zone's spots are drawn. */
    showZone(zone) {
      const bounds = this.spots.boundsOf((place) => this.spots.layer.zone[place] === zone.id);
      const zoom = Math.max(Curblight.SPOTS_FROM_ZOOM, this.map.getBoundsZoom(bounds.pad(0.1)));
      this.map.setView(bounds.getCenter(), Math.min(zoom, 18));
    }

    moved() {
      const center = this.map.getCenter();
      const place = `#${this.map.getZoom()}/${center.lat.toFixed(5)}/${center.lng.toFixed(5)}`;
      history.replaceState(history.state, "", place);
      this.showZones();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.refresh(), AFTER_MOVE_MS);
    }

    /* --- What is busy ----------------------------------------------------------------------- */

    async refresh() {
      clearTimeout(this.timer);
      if (!this.isReady || document.hidden || !this.state.from) {
        return;
      }
      this.asked?.abort();
      const mine = (this.asked = new AbortController());
      const bounds = this.map.getBounds().pad(0.2);
      const west = Math.max(-180, bounds.getWest());
      const south = Math.max(-90, bounds.getSouth());
      const east = Math.min(180, bounds.getEast());
      const north = Math.min(90, bounds.getNorth());
      const query = new URLSearchParams({
        bbox: [west, south, east, north].join(","),
        from: this.state.from,
        to: this.state.to,
      });
      try {
        const answer = await fetchJson(`${this.frame.dataset.busyUrl}?${query}`, mine.signal);
        this.spots.setBusy(answer.busy);
        this.spotsLayer.redraw();
        this.showZones();
        this.say("");
        this.pause = POLL_MS;
      } catch {
        if (mine.signal.aborted) {
          return;
        }
        this.say(this.words.stale);
        this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
      }
      this.timer = setTimeout(() => this.refresh(), this.pause);
    }
  };

  async function fetchJson(url, signal) {
    const answer = await fetch(url, { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error(`${url}: ${answer.status}`);
    }
    return answer.json();
  }

  function crosses(one, other) {
    return (
      one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
    );
  }

  function add(parent, tag, text) {
    const child = document.createElement(tag);
    child.textContent = text;
    parent.append(child);
    return child;
  }
})();
