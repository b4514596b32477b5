"use strict";
// Our own streets and zones beneath the desk's drawing maps, and a way in for the keyboard.

(() => {
  // django-leaflet keeps only the outer ring of each polygon; a zone may have holes and islands,
  // so its shape is written out by ourselves.
  const keepHoles = () => {
    const inherited = L.FieldStore.prototype._serialize;
    L.FieldStore.include({
      _serialize(layer) {
        if (this.options.geom_type.toUpperCase() !== "MULTIPOLYGON") {
          return inherited.call(this, layer);
        }
        const layers = typeof layer.getLayers === "function" ? layer.getLayers() : [layer];
        const polygons = layers.flatMap((one) => {
          const { geometry } = one.toGeoJSON(this.options.precision);
          return geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
        });
        if (!polygons.length) return "";
        return JSON.stringify({ type: "MultiPolygon", coordinates: polygons });
      },
    });
  };
  // By now all scripts are there, in whatever order the form's widgets named them.
  window.addEventListener("map:init", keepHoles, { once: true });

  const colour = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();

  const drawStreets = async (map, frame) => {
    const answer = await fetch(frame.dataset.streets, { credentials: "same-origin" });
    if (!answer.ok) return;
    const drawing = await answer.json();
    map.createPane("streets").style.zIndex = 250;
    L.geoJSON(drawing, {
      pane: "streets",
      interactive: false,
      style: (feature) =>
        feature.properties.kind === "zone"
          ? { color: colour(frame, "--desk-zone"), weight: 1, fillOpacity: 0.06 }
          : { color: colour(frame, "--desk-street"), weight: 4 },
    }).addTo(map);
  };

  const offerText = (frame) => {
    const text = frame.parentElement.querySelector("textarea.django-leaflet-raw-textarea");
    if (!text) return;
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "GeoJSON";
    text.hidden = false;
    text.setAttribute("aria-label", "GeoJSON");
    details.className = "desk-map__text";
    details.append(summary, text);
    frame.after(details);
  };

  window.addEventListener("map:init", (event) => {
    const { map } = event.detail;
    const frame = map.getContainer().closest(".desk-map");
    if (!frame) return;
    offerText(frame);
    // A single point would be shown from so far away that nobody can move it by a metre.
    map.on("map:loadfield", ({ field }) => {
      const [only, ...others] = field.drawnItems.getLayers();
      if (only instanceof L.Marker && !others.length) map.setView(only.getLatLng(), 18, { animate: false });
    });
    drawStreets(map, frame).catch(() => {}); // without streets the map still draws
  });
})();
