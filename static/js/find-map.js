/* The map of the find page: draws the search that it is given, and says what it is asked for. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const POLL_MS = 10_000;
  const POLL_BESIDE_LIVE_MS = 60_000; // closures and new prices are not told
  const SPREAD_MS = 600; // so that all who are told at once do not ask at once
  const LONGEST_PAUSE_MS = 80_000;
  const AFTER_MOVE_MS = 200;

  /* `frame` holds the addresses, `words` the texts; `say` shows a note, `onLight` is told the id
     of the spot under the pointer or null, `onArea` the corners of an area that is to be listed,
     `onBusy` a question: how is the spot with this id now? */
  Curblight.FindMap = class {
    constructor({ frame, words, say, onLight, onArea, onBusy }) {
      Object.assign(this, { frame, words, say, onLight, onArea, onBusy });
      this.state = {};
      this.isAlone = false; // then nothing that leaves the browser may follow from the view
      this.usual = this.pause = POLL_MS;
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
      this.labels.show(); // of where it is now
      this.say("");
      map.on("moveend", () => this.moved());
      map.on("click", (event) => this.open(this.spots.near(map, event.containerPoint)));
      map.on("mousemove", (event) => {
        if (!map.dragging.moving()) {
          this.hover(this.spots.near(map, event.containerPoint));
        }
      });
      window.addEventListener("hashchange", () => this.goToAddress());
      document.addEventListener("visibilitychange", () => this.refresh());
      await this.refresh();
    }

    get isReady() {
      return Boolean(this.labels);
    }

    addLayers() {
      const { map, ground, spots } = this;
      const layer = (paint, options) => new Curblight.CanvasLayer(paint, options).addTo(map);
      map.createPane("ground").style.zIndex = 150; // beneath the tiles, where there are any
      layer(Curblight.paintStreets(ground), { pane: "ground" });
      this.zonesLayer = layer(Curblight.paintZones(ground, (id) => this.isOpen(id)));
      this.spotsLayer = layer((context, view) => spots.paint(context, view));
      this.labels = new Curblight.Labels({
        ...{ map, words: this.words, ground, spots },
        offerOf: (id) => this.offerOf(id),
        onZone: (zone) => this.goTo((place) => spots.layer.zone[place] === zone.id, "STREETS"),
        onStreet: (street) => this.goTo((place) => street.has(place), "SPOTS"),
      });
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
      this.spots.isKnown = Boolean(state.from);
      this.spots.closedZones = new Set(
        this.ground.zones.map((one) => one.id).filter((id) => !this.isOpen(id)),
      );
      this.spots.filter({
        words: state.words || [],
        zones: state.only ?? null,
        features: state.features || [],
      });
      this.zonesLayer.redraw();
      this.spotsLayer.redraw();
      this.labels.show();
      this.nearMe?.list();
    }

    offerOf(zoneId) {
      return (this.state.zones || {})[zoneId];
    }

    isOpen(zoneId) {
      const offer = this.offerOf(zoneId);
      return !offer || offer.price !== null;
    }

    open(place) {
      if (place < 0) {
        return;
      }
      const popup = L.popup().setLatLng(this.spots.latLng(place)).setContent(this.describe(place));
      popup.place = place;
      popup.on("remove", () => (this.popup = null));
      popup.openOn(this.map);
      this.popup = popup;
      const close = popup.getElement().querySelector(".leaflet-popup-close-button");
      close.setAttribute("aria-label", this.words.close);
      this.hover(place);
    }

    /* What a popup says of a spot, and the way to its page. */
    describe(place) {
      const { spots, state, words } = this;
      const { layer } = spots;
      const box = document.createElement("div");
      box.className = "map-popup";
      add(add(box, "p", ""), "strong", `${words.spot} ${layer.number[place]}`);
      add(box, "p", layer.streets[layer.street[place]]);
      const features = spots.featuresOf(place).map((name) => words[name] || name);
      if (features.length) {
        add(box, "p", features.join(words.comma));
      }
      if (this.nearMe?.at) {
        add(box, "p", this.nearMe.walkTo(place));
      }
      const is = spots.state(place);
      const offer = this.offerOf(layer.zone[place]);
      const more = { free: offer?.price, closed: offer?.reasons.join(" ") }[is];
      add(box, "p", more ? `${words[is]} · ${more}` : words[is]);
      const link = add(box, "a", is === "free" ? words.choose : words.look);
      const address = this.frame.dataset.spotUrl.replace("/0/", `/${layer.id[place]}/`);
      link.className = "button button--small";
      link.href = `${address}?${state.stay || ""}`;
      return box;
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

    /* Go so near that these spots, or their streets, are drawn. */
    goTo(isWanted, level) {
      const bounds = this.spots.boundsOf(isWanted);
      const least = Curblight[`${level}_FROM_ZOOM`];
      const zoom = Math.max(least, this.map.getBoundsZoom(bounds.pad(0.1)));
      this.map.setView(bounds.getCenter(), Math.min(zoom, 18));
    }

    moved() {
      const center = this.map.getCenter();
      const place = `#${this.map.getZoom()}/${center.lat.toFixed(5)}/${center.lng.toFixed(5)}`;
      if (!this.isAlone) {
        history.replaceState(history.state, "", place);
      }
      this.labels.show();
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
      const bounds = this.isAlone ? this.spots.extent() : this.map.getBounds().pad(0.2);
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
        if (this.spots.setBusy(answer.busy)) {
          this.showBusy();
        }
        this.say("");
        this.pause = this.usual;
      } catch {
        if (mine.signal.aborted) {
          return;
        }
        this.say(this.words.stale);
        this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
      }
      this.timer = setTimeout(() => this.refresh(), this.pause);
    }

    showBusy() {
      this.spotsLayer.redraw();
      this.labels.show();
      this.popup?.setContent(this.describe(this.popup.place));
      this.nearMe?.list();
      this.onBusy((id) => this.spots.state(this.spots.place.get(id)));
    }

    /* From now on others' bookings are told, or are not any more. */
    heard(isLive) {
      this.usual = this.pause = isLive ? POLL_BESIDE_LIVE_MS : POLL_MS;
      this.refresh();
    }

    /* Draw what was taken in our time. What was given back may be kept by something else: ask. */
    learn({ taken, freed }) {
      const [from, to] = [this.state.from, this.state.to].map((moment) => Date.parse(moment) / 1000);
      const ours = taken.filter(([id, since, until]) => since < to && until > from && this.spots.take(id));
      if (ours.length) {
        this.showBusy();
      }
      if (freed.some((id) => this.spots.place.has(id))) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.refresh(), SPREAD_MS * Math.random());
      }
    }
  };

  async function fetchJson(url, signal) {
    const answer = await fetch(url, { signal, headers: { Accept: "application/json" } });
    if (!answer.ok) {
      throw new Error(`${url}: ${answer.status}`);
    }
    return answer.json();
  }

  function add(parent, tag, text) {
    const child = document.createElement(tag);
    child.textContent = text;
    parent.append(child);
    return child;
  }
})();
