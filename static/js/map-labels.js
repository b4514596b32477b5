/* Labels from afar: how many spots are free in each zone and, closer by, in each street. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const STREETS_FROM_ZOOM = 15;
  const MOST_STREETS = 40;
  const number = new Intl.NumberFormat(document.documentElement.lang);

  Curblight.STREETS_FROM_ZOOM = STREETS_FROM_ZOOM;
  Curblight.formatNumber = (value) => number.format(value);

  /* `offerOf` says what a zone asks for the stay, `onZone` and `onStreet` are told what was chosen. */
  Curblight.Labels = class {
    constructor({ map, words, ground, spots, offerOf, onZone, onStreet }) {
      Object.assign(this, { map, words, ground, spots, offerOf, onZone, onStreet });
      this.group = L.layerGroup();
      this.sign = document.querySelector(".legend__sign .icon");
    }

    /* Close by the spots say themselves how they are. */
    show() {
      const zoom = this.map.getZoom();
      const chosen = document.activeElement?.dataset.place;
      this.group.clearLayers();
      if (zoom >= Curblight.SPOTS_FROM_ZOOM) {
        this.group.remove();
        return;
      }
      this.group.addTo(this.map);
      if (zoom < STREETS_FROM_ZOOM) {
        this.showZones();
      } else {
        this.showStreets();
      }
      if (chosen) {
        this.map.getPane("markerPane").querySelector(`[data-place="${chosen}"]`)?.focus({ preventScroll: true });
      }
    }

    showZones() {
      const counts = this.spots.zoneCounts();
      const kept = [];
      for (const zone of this.ground.zones.filter((one) => counts.has(one.id))) {
        const at = [zone.at[1], zone.at[0]];
        const price = this.offerOf(zone.id)?.price || "";
        const label = this.add(`zone ${zone.id}`, zone.name, at, counts.get(zone.id), price, () => this.onZone(zone));
        shorten(label, ["whole", "short", "number"], kept);
      }
    }

    /* The streets with most spots first; what finds no room is seen from closer by. */
    showStreets() {
      const bounds = this.map.getBounds();
      const kept = [];
      const streets = [...this.spots.streetCounts().values()]
        .filter((street) => bounds.contains(street.at))
        .sort((one, other) => other.total - one.total);
      for (const street of streets.slice(0, MOST_STREETS)) {
        const label = this.add(`street ${street.key}`, street.name, street.at, street, "", () => this.onStreet(street));
        if (!shorten(label, ["short", "number"], kept)) {
          this.group.removeLayer(label.marker);
        }
      }
    }

    add(place, name, at, count, price, onChoose) {
      const { words } = this;
      const { isOpen, free, total, accessible } = count;
      const says = (text, values) =>
        text.replace(/\{(\w+)\}/g, (_, key) => Curblight.formatNumber(values[key]));
      const text = isOpen ? says(words["free-of"], { free, total }) : words.closed;
      const bays = isOpen && accessible ? says(words["accessible-free"], { n: accessible }) : "";
      const label = document.createElement("div");
      put(label, "strong", name);
      put(label, "span", text);
      put(label, "span", isOpen && price ? ` · ${price}` : "").className = "map-zone__price";
      put(label, "span", isOpen ? Curblight.formatNumber(free) : "–").className = "map-zone__free";
      if (bays) {
        const sign = put(label, "span", "");
        sign.className = "map-zone__sign";
        sign.append(this.sign.cloneNode(true), Curblight.formatNumber(accessible));
      }
      const icon = L.divIcon({ html: label, className: "map-zone", iconSize: null });
      const marker = L.marker(at, { icon }).addTo(this.group);
      marker.on("click", onChoose);
      marker.on("keypress", ({ originalEvent }) => {
        if (originalEvent.key === "Enter" || originalEvent.key === " ") {
          originalEvent.preventDefault();
          onChoose();
        }
      });
      const element = marker.getElement();
      element.marker = marker;
      element.dataset.place = place;
      element.setAttribute("aria-label", [name, text, isOpen && price, bays].filter(Boolean).join(", "));
      element.toggleAttribute("data-closed", !isOpen);
      return element;
    }
  };

  /* Make the label as long as it can be without lying over those that are kept; say if it can. */
  function shorten(label, levels, kept) {
    return levels.some((level) => {
      label.setAttribute("data-level", level);
      const box = label.getBoundingClientRect();
      return !kept.some((other) => crosses(box, other)) && kept.push(box);
    });
  }

  function crosses(one, other) {
    return (
      one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom
    );
  }

  function put(parent, tag, text) {
    const child = document.createElement(tag);
    child.textContent = text;
    parent.append(child);
    return child;
  }
})();
