/* A canvas that lies over the map, is painted whole by a function, and follows every move. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});

  /* Web Mercator as parts of the world, 0 to 1: computed once, scaled at each painting. */
  Curblight.worldX = (longitude) => (longitude + 180) / 360;
  Curblight.worldY = (latitude) => {
    const sine = Math.sin((latitude * Math.PI) / 180);
    return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  };

  let colours = null;

  /* The colours of the sheet, as they are in the reader's theme. */
  Curblight.colour = (name) => {
    colours = colours || getComputedStyle(document.documentElement);
    return colours.getPropertyValue(`--${name}`).trim();
  };

  Curblight.CanvasLayer = L.Layer.extend({
    options: { padding: 0.2 },

    /* paint(context, view): view has project(worldX, worldY, point), zoom, width, height and
       metresPerPixel. */
    initialize(paint, options) {
      L.setOptions(this, options);
      this._paint = paint;
      this._frame = 0;
    },

    onAdd(map) {
      this._canvas = L.DomUtil.create("canvas", "map-canvas leaflet-zoom-animated");
      this._canvas.setAttribute("aria-hidden", "true");
      this.getPane().appendChild(this._canvas);
      this._theme = window.matchMedia("(prefers-color-scheme: dark)");
      this._onTheme = () => this.redraw();
      this._theme.addEventListener("change", this._onTheme);
      this._draw();
      return map;
    },

    onRemove() {
      cancelAnimationFrame(this._frame);
      this._theme.removeEventListener("change", this._onTheme);
      this._canvas.remove();
    },

    getEvents() {
      return {
        moveend: this._draw,
        viewreset: this._draw,
        resize: this._draw,
        zoom: () => this._follow(this._map.getCenter(), this._map.getZoom()),
        zoomanim: (event) => this._follow(event.center, event.zoom),
      };
    },

    /* Paint again at the next frame, once, however often it is asked for. */
    redraw() {
      if (this._map && !this._frame) {
        this._frame = requestAnimationFrame(() => this._draw());
      }
      return this;
    },

    _draw() {
      cancelAnimationFrame(this._frame);
      this._frame = 0;
      const map = this._map;
      const size = map.getSize();
      const corner = map.containerPointToLayerPoint(size.multiplyBy(-this.options.padding)).round();
      const full = size.multiplyBy(1 + 2 * this.options.padding).round();
      const ratio = window.devicePixelRatio || 1;
      const canvas = this._canvas;
      if (canvas.width !== Math.floor(full.x * ratio) || canvas.height !== Math.floor(full.y * ratio)) {
        canvas.width = full.x * ratio;
        canvas.height = full.y * ratio;
      }
      canvas.style.width = `${full.x}px`;
      canvas.style.height = `${full.y}px`;
      L.DomUtil.setPosition(canvas, corner);
      this._bounds = L.latLngBounds(
        map.layerPointToLatLng(corner),
        map.layerPointToLatLng(corner.add(full)),
      );
      this._zoom = map.getZoom();

      const origin = map.getPixelOrigin().add(corner);
      const scale = 256 * 2 ** this._zoom;
      const latitude = (map.getCenter().lat * Math.PI) / 180;
      const context = canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, full.x, full.y);
      this._paint(context, {
        zoom: this._zoom,
        ratio,
        width: full.x,
        height: full.y,
        metresPerPixel: (40075016.7 * Math.cos(latitude)) / scale,
        x: (worldX) => worldX * scale - origin.x,
        y: (worldY) => worldY * scale - origin.y,
      });
    },

    _follow(center, zoom) {
      if (!this._bounds) {
        return;
      }
      const scale = this._map.getZoomScale(zoom, this._zoom);
      const corner = this._map._latLngBoundsToNewLayerBounds(this._bounds, zoom, center).min;
      L.DomUtil.setTransform(this._canvas, corner, scale);
    },
  });
})();
