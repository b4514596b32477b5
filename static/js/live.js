/* Tells a page what others book, as it happens. Where nothing tells, the map asks by itself. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const FIRST_PAUSE_MS = 5_000;
  const LONGEST_PAUSE_MS = 80_000;

  /* `onState` is told whether somebody tells, `onNews` what: {taken: [[id, from, to]], freed: [id]}
     with moments in seconds. Nobody is listened to while the page is hidden. */
  Curblight.Live = class {
    constructor({ url, onState, onNews }) {
      Object.assign(this, { url, onState, onNews });
      this.pause = FIRST_PAUSE_MS;
      document.addEventListener("visibilitychange", () => this.attend());
      window.addEventListener("pagehide", () => this.close());
      window.addEventListener("pageshow", () => this.attend());
      this.attend();
    }

    attend() {
      if (document.hidden) {
        this.close();
      } else if (!this.source) {
        this.open();
      }
    }

    open() {
      clearTimeout(this.timer);
      const source = (this.source = new EventSource(this.url));
      source.onopen = () => {
        this.pause = FIRST_PAUSE_MS;
        this.onState(true);
      };
      source.onmessage = (event) => this.onNews(JSON.parse(event.data));
      source.onerror = () => {
        this.close();
        this.timer = setTimeout(() => this.attend(), this.pause);
        this.pause = Math.min(2 * this.pause, LONGEST_PAUSE_MS);
      };
    }

    close() {
      clearTimeout(this.timer);
      this.source?.close();
      this.source = null;
      this.onState(false);
    }
  };
})();
