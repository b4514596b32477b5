/* The spots in columns: which are shown, which are busy, and where they are. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const DOTS_FROM_ZOOM = 15;
  const SPOTS_FROM_ZOOM = 16.5;
  const REACH_PX = 16;

  Curblight.SPOTS_FROM_ZOOM = SPOTS_FROM_ZOOM;

  /* The columns of the layer, with what changes (busy, filtered) in arrays beside them. */
  Curblight.Spots = class {
    constructor(layer) {
      this.layer = layer;
      this.count = layer.id.length;
      this.x = Float64Array.from(layer.lon, (micro) => Curblight.worldX(micro / 1e6));
      this.y = Float64Array.from(layer.lat, (micro) => Curblight.worldY(micro / 1e6));
      this.place = new Map(layer.id.map((id, place) => [id, place]));
      this.busy = new Uint8Array(this.count);
      this.shown = new Uint8Array(this.count).fill(1);
      this.closedZones = new Set();
      this.isKnown = true; // false while the search is not understood: then nothing is called free
      this.lit = -1;
      this.accessible = 1 << layer.feature_names.indexOf("accessible");
    }

    /* Note who is busy now; whether that is news. */
    setBusy(ids) {
      const before = this.busy;
      this.busy = new Uint8Array(this.count);
      for (const id of ids) {
        const place = this.place.get(id);
        if (place !== undefined) {
          this.busy[place] = 1;
        }
      }
      return this.busy.some((is, place) => is !== before[place]);
    }

    /* Note that somebody has the spot; whether that is news. */
    take(id) {
      const place = this.place.get(id);
      const isNews = place !== undefined && !this.busy[place];
      if (isNews) {
        this.busy[place] = 1;
      }
      return isNews;
    }

    /* Keep what the list keeps. `zones` are ids, or null for all; of each word, the server has
       found what it means: zones, streets, or a part of a number. */
    filter({ words, zones, features }) {
      const { layer } = this;
      const bits = features.reduce((sum, name) => sum | (1 << layer.feature_names.indexOf(name)), 0);
      const only = zones && new Set(zones);
      const meanings = words.map((word) => ({
        zones: new Set(word.zones),
        streets: new Set(word.streets),
        number: word.number,
      }));
      for (let place = 0; place < this.count; place += 1) {
        this.shown[place] =
          (!only || only.has(layer.zone[place])) &&
          (layer.features[place] & bits) === bits &&
          meanings.every((meaning) => this.isMeant(place, meaning))
            ? 1
            : 0;
      }
    }

    isMeant(place, { zones, streets, number }) {
      const { layer } = this;
      return (
        zones.has(layer.zone[place]) ||
        streets.has(layer.streets[layer.street[place]]) ||
        (number && digits(layer.number[place]).includes(number))
      );
    }

    state(place) {
      if (place === undefined) {
        return undefined;
      }
      if (!this.isKnown || this.closedZones.has(this.layer.zone[place])) {
        return "closed";
      }
      return this.busy[place] ? "busy" : "free";
    }

    latLng(place) {
      return L.latLng(this.layer.lat[place] / 1e6, this.layer.lon[place] / 1e6);
    }

    /* The rectangle around those of the shown spots that are wanted. */
    boundsOf(isWanted) {
      const bounds = L.latLngBounds([]);
      for (let place = 0; place < this.count; place += 1) {
        if (this.shown[place] && isWanted(place)) {
          bounds.extend(this.latLng(place));
        }
      }
      return bounds;
    }

    featuresOf(place) {
      return this.layer.feature_names.filter((_, bit) => this.layer.features[place] & (1 << bit));
    }

    /* The rectangle around all spots there are. */
    extent() {
      const { lat, lon } = this.layer;
      const bounds = L.latLngBounds([]);
      for (const aside of [-1_000, 1_000]) {
        lat.forEach((_, place) => bounds.extend([(lat[place] + aside) / 1e6, (lon[place] + aside) / 1e6]));
      }
      return bounds;
    }

    /* Of the shown spots of each zone, how many are free, are there, are free for the disabled. */
    zoneCounts() {
      return this.counts((place) => this.layer.zone[place]);
    }

    /* The same of each street in a zone, with its name and the spot in its middle. */
    streetCounts() {
      const { layer } = this;
      const key = (place) => `${layer.zone[place]}-${layer.street[place]}`;
      const counts = this.counts(key);
      for (const [of, count] of counts) {
        const middle = count.places[count.places.length >> 1];
        count.key = of;
        count.name = layer.streets[layer.street[middle]];
        count.at = this.latLng(middle);
        count.has = (place) => key(place) === of;
      }
      return counts;
    }

    counts(keyOf) {
      const counts = new Map();
      for (let place = 0; place < this.count; place += 1) {
        if (!this.shown[place]) {
          continue;
        }
        const key = keyOf(place);
        const state = this.state(place);
        const count = counts.get(key) || { isOpen: state !== "closed", free: 0, total: 0, accessible: 0, places: [] };
        count.total += 1;
        count.places.push(place);
        if (state === "free") {
          count.free += 1;
          count.accessible += this.layer.features[place] & this.accessible ? 1 : 0;
        }
        counts.set(key, count);
      }
      return counts;
    }

    /* The spot under a point of the map, or -1. */
    near(map, containerPoint) {
      if (map.getZoom() < SPOTS_FROM_ZOOM) {
        return -1;
      }
      const at = map.containerPointToLayerPoint(containerPoint).add(map.getPixelOrigin());
      const scale = 256 * 2 ** map.getZoom();
      let best = -1;
      let least = REACH_PX ** 2;
      for (let place = 0; place < this.count; place += 1) {
        if (this.shown[place]) {
          const dx = this.x[place] * scale - at.x;
          const dy = this.y[place] * scale - at.y;
          const distance = dx * dx + dy * dy;
          if (distance < least) {
            least = distance;
            best = place;
          }
        }
      }
      return best;
    }

    paint(context, view) {
      const radius = Math.min(10, Math.max(2.2, 2.5 / view.metresPerPixel));
      const colours = {
        free: Curblight.colour("ok"),
        busy: Curblight.colour("map-busy"),
        closed: Curblight.colour("map-closed"),
        inner: Curblight.colour("surface"),
        sign: Curblight.colour("map-sign"),
      };
      const signs = [];
      const marks = Curblight.sprites(radius, view.ratio, colours);
      const side = marks.free.width / view.ratio;
      for (let place = 0; place < this.count; place += 1) {
        const x = view.x(this.x[place]);
        const y = view.y(this.y[place]);
        if (x < -20 || y < -20 || x > view.width + 20 || y > view.height + 20) {
          continue;
        }
        const state = this.state(place);
        context.globalAlpha = this.shown[place] ? 1 : 0.18;
        if (view.zoom >= DOTS_FROM_ZOOM) {
          context.drawImage(marks[state], x - side / 2, y - side / 2, side, side);
        }
        if (this.layer.features[place] & this.accessible && this.shown[place]) {
          if (!signs.some((other) => Math.hypot(other[0] - x, other[1] - y) < Curblight.SIGN_PX)) {
            signs.push([x, y, state]);
          }
        }
      }
      context.globalAlpha = 1;
      const lift = view.zoom >= DOTS_FROM_ZOOM ? radius + Curblight.SIGN_PX / 2 + 1 : 0;
      signs.forEach(([x, y, state]) => Curblight.sign(context, x, y - lift, state, colours));
      if (this.lit >= 0) {
        context.strokeStyle = Curblight.colour("ink");
        context.lineWidth = 3;
        context.beginPath();
        context.arc(view.x(this.x[this.lit]), view.y(this.y[this.lit]), radius + 5, 0, 2 * Math.PI);
        context.stroke();
      }
    }
  };

  /* A number in small letters and with the digits 0 to 9, as the server spells what is looked for. */
  function digits(text) {
    return text.toLowerCase().replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (one) => one.charCodeAt(0) & 15);
  }
})();
