/* The nearest free spots, with the way there on foot. Where somebody is never leaves the browser:
   distances are computed here, and while this is on the map asks for the whole city, draws no
   tiles and writes no place into the address. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const MOST_ROWS = 6;
  const EARTH_M = 6_371_000;
  const CLOSE_ZOOM = 17;

  /* `box` is where the list stands, `button` switches. Both are there without the map. */
  Curblight.NearMe = class {
    constructor({ map, box, button, words }) {
      Object.assign(this, { map, box, button, words });
      this.at = null;
      this.tiles = []; // while the map is kept to itself
      map.nearMe = this;
    }

    toggle() {
      if (!this.map.spots.count) {
        this.say(this.words["none-near"]);
      } else if (this.at) {
        this.leave();
      } else {
        this.say(this.words.locating);
        navigator.geolocation.getCurrentPosition(
          ({ coords }) => this.arrive(coords.latitude, coords.longitude),
          ({ code }) => this.say(this.words[code === 1 ? "not-allowed" : "not-located"]),
          { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 },
        );
      }
    }

    arrive(latitude, longitude) {
      this.at = L.latLng(latitude, longitude);
      this.button.setAttribute("aria-pressed", "true");
      const icon = L.divIcon({ className: "map-me", iconSize: [20, 20] });
      const options = { icon, interactive: false, keyboard: false, zIndexOffset: 1000 };
      this.marker = L.marker(this.at, options).addTo(this.map.map);
      this.keepMapToItself(true);
      this.map.map.setView(this.at, CLOSE_ZOOM, { animate: false });
      this.list();
    }

    leave() {
      this.at = null;
      this.marker.remove();
      this.button.setAttribute("aria-pressed", "false");
      this.box.hidden = true;
      this.map.map.fitBounds(this.map.spots.extent(), { animate: false }); // then ask for the view
      this.keepMapToItself(false);
    }

    /* Where the view says where somebody is, nothing that leaves the browser may follow from it. */
    keepMapToItself(isAlone) {
      const { map } = this.map;
      this.map.isAlone = isAlone;
      map.getContainer().toggleAttribute("data-alone", isAlone);
      if (isAlone) {
        map.eachLayer((layer) => layer instanceof L.TileLayer && this.tiles.push(layer));
        this.tiles.forEach((layer) => layer.remove());
      } else {
        this.tiles.splice(0).forEach((layer) => layer.addTo(map));
      }
      this.map.refresh();
    }

    minutesTo(place) {
      const metres = this.metresTo(place);
      return Math.max(1, Math.ceil(metres / Number(this.box.dataset.metresAMinute)));
    }

    walkTo(place) {
      return this.words.walk.replace("{n}", Curblight.formatNumber(this.minutesTo(place)));
    }

    metresTo(place) {
      const { layer } = this.map.spots;
      const rad = Math.PI / 180;
      const north = (layer.lat[place] / 1e6 - this.at.lat) * rad;
      const east = (layer.lon[place] / 1e6 - this.at.lng) * rad * Math.cos(this.at.lat * rad);
      return EARTH_M * Math.hypot(north, east);
    }

    /* List the nearest spots that are free, that the search keeps, and that are set aside for
       nobody else. */
    list() {
      if (!this.at) {
        return;
      }
      const { spots, state } = this.map;
      const wanted = new Set(state.features);
      const aside = this.box.dataset.setAside.split(" ").filter((name) => !wanted.has(name));
      const near = [];
      for (let place = 0; place < spots.count; place += 1) {
        if (spots.shown[place] && spots.state(place) === "free") {
          if (!spots.featuresOf(place).some((name) => aside.includes(name))) {
            near.push(place);
          }
        }
      }
      const metres = new Map(near.map((place) => [place, this.metresTo(place)]));
      near.sort((one, other) => metres.get(one) - metres.get(other));
      this.box.hidden = false;
      this.say(near.length ? "" : this.words["none-near"]);
      const rows = near.slice(0, MOST_ROWS).map((place) => this.row(place));
      this.box.querySelector("ul").replaceChildren(...rows);
    }

    row(place) {
      const { spots, frame, state } = this.map;
      const { layer } = spots;
      const row = document.getElementById("near-row").content.firstElementChild.cloneNode(true);
      const price = this.map.offerOf(layer.zone[place])?.price;
      const link = row.querySelector("a");
      link.href = `${frame.dataset.spotUrl.replace("/0/", `/${layer.id[place]}/`)}?${state.stay}`;
      link.dataset.spotId = layer.id[place];
      row.querySelector(".spot__number").textContent = layer.number[place];
      row.querySelector(".spot__street").textContent = layer.streets[layer.street[place]];
      row.querySelector(".spot__price").textContent = price || "";
      row.querySelector(".spot__walk").textContent = this.walkTo(place);
      return row;
    }

    say(text) {
      this.box.hidden = false;
      this.box.querySelector("[role=status]").textContent = text;
    }
  };
})();
