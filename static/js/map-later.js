/* Bring the map after the list. Its files weigh three times the page, so that on a narrow window,
   most often a phone that pays for them, they are fetched when somebody asks to see the map.

   <template id="map-styles"> and <template id="map-scripts"> hold the files. */
(function () {
  "use strict";

  const frame = document.getElementById("map-frame");
  const opener = document.getElementById("map-open");
  const note = document.getElementById("map-note");
  const wide = matchMedia("(min-width: 60rem)");
  const hasView = /^#\d/.test(location.hash); // somebody has moved the map before

  if (wide.matches || hasView) {
    window.addEventListener("load", open);
  } else {
    note.hidden = true;
    opener.hidden = false;
    opener.addEventListener("click", () => {
      window.addEventListener("map:init", () => frame.querySelector("[tabindex]").focus());
      open();
    });
    wide.addEventListener("change", open, { once: true });
  }

  async function open() {
    if ("open" in frame.dataset) {
      return;
    }
    frame.dataset.open = "";
    opener.hidden = true;
    note.hidden = false;
    try {
      await Promise.all([bring("map-styles", "link"), bring("map-scripts", "script[src]")]);
      window.dispatchEvent(new Event("map:files"));
    } catch {
      const words = document.getElementById("map-words").content;
      note.textContent = words.querySelector('[data-word="failed"]').textContent;
    }
  }

  /* Put the files in place of their template; resolve when all are there, run in their order. */
  function bring(id, selector) {
    const template = document.getElementById(id);
    const files = [...template.content.querySelectorAll(selector)];
    const arrived = files.map(
      (file) =>
        new Promise((resolve, reject) => {
          file.async = false;
          file.addEventListener("load", resolve);
          file.addEventListener("error", reject);
        }),
    );
    template.replaceWith(template.content);
    return Promise.all(arrived);
  }
})();
