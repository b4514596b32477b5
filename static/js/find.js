/* Map and list as one: the same search, in the address. Without this file the list still works. */
(function () {
  "use strict";

  const SPREAD_MS = 600; // so that all who are told at once do not ask at once

  const frame = document.getElementById("map-frame");
  const results = document.getElementById("results");
  const announcer = document.getElementById("announcer");
  const note = document.getElementById("map-note");
  let state = readState();

  let map = { isReady: false };

  /* The map comes later than the list, or never: see map-later.js. */
  window.addEventListener("map:init", (event) => {
    map = new window.Curblight.FindMap({
      frame,
      words: readWords(),
      say(text) {
        note.hidden = !text;
        note.textContent = text;
      },
      onLight: lightRow,
      onArea: listArea,
      onBusy: markRows,
    });
    map.start(event.detail.map, state).then(() => {
      if (map.isReady) {
        map.heard(isTold);
      }
      window.dispatchEvent(new Event("map:ready"));
    });
  });

  /* --- What others book, as it happens ------------------------------------------------------- */

  let isTold = false;
  let asking = 0;

  if (frame.dataset.liveUrl) {
    new window.Curblight.Live({
      url: frame.dataset.liveUrl,
      onState(isLive) {
        isTold = isLive;
        if (map.isReady) {
          map.heard(isLive);
        }
      },
      onNews: (news) => (map.isReady ? map.learn(news) : learn(news)),
    });
  }

  /* Without the map the list learns by itself: what was taken in our time, and what may be free. */
  function learn({ taken, freed }) {
    const [from, to] = [state.from, state.to].map((moment) => Date.parse(moment) / 1000);
    const ours = taken.filter(([, since, until]) => since < to && until > from);
    const ids = new Set(ours.map(([id]) => id));
    markRows((id) => (ids.has(id) ? "busy" : null));
    if (freed.some((id) => results.querySelector(`[data-spot-id="${id}"]`))) {
      clearTimeout(asking);
      asking = setTimeout(lookAgain, SPREAD_MS * Math.random());
    }
  }

  /* Ask how the spots of the list are now; what stands there, and where one reads, stays. */
  async function lookAgain() {
    const mine = newest;
    const page = await fetchPage(location.search || "?").catch(() => null);
    if (page && mine === newest) {
      markRows((id) => {
        const is = page.querySelector(`#results [data-spot-id="${id}"] .spot__state`);
        return is && [...is.classList].pop().replace("spot__state--", "");
      });
    }
  }

  /* --- Near me ------------------------------------------------------------------------------ */

  const nearBox = document.getElementById("near");
  const nearButton = document.getElementById("near-me");
  let nearMe = null;

  nearButton.hidden = !("geolocation" in navigator && window.isSecureContext);
  nearButton.addEventListener("click", () => {
    if (map.isReady) {
      toggleNearMe();
    } else {
      window.addEventListener("map:ready", () => map.isReady && toggleNearMe(), { once: true });
      document.getElementById("map-open").click();
    }
  });

  function toggleNearMe() {
    nearMe ||= new window.Curblight.NearMe({ map, box: nearBox, button: nearButton, words: readWords() });
    nearMe.toggle();
  }

  /* --- What asks for another search --------------------------------------------------------- */

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

  function search() {
    const form = document.getElementById("search");
    if (form.reportValidity()) {
      load(`?${queryOf(form)}`);
    }
  }

  function listArea(corners) {
    const query = queryOf(document.getElementById("search"));
    query.set("bbox", corners.map((corner) => corner.toFixed(5)).join(","));
    load(`?${query}`);
  }

  function queryOf(form) {
    return new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  }

  /* --- The new list ------------------------------------------------------------------------- */

  let newest = 0;

  /* Fetch the page of another search and put its form and list in place of ours. */
  async function load(query, { isBack = false, scroll = false } = {}) {
    newest += 1;
    const mine = newest;
    results.setAttribute("aria-busy", "true");
    try {
      const page = await fetchPage(query);
      if (mine !== newest) {
        return;
      }
      replace(page);
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
    announcer.textContent = results.querySelector("#results-status h2, .notice")?.textContent.trim() || "";
    showOnMap();
  }

  async function fetchPage(query) {
    const answer = await fetch(query, { headers: { Accept: "text/html" } });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  function replace(page) {
    const focused = document.activeElement?.id;
    document.getElementById("search").replaceWith(page.getElementById("search"));
    results.replaceChildren(nearBox, ...page.getElementById("results").childNodes);
    results.querySelectorAll("#near ~ #near").forEach((second) => second.remove());
    if (focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  function showOnMap() {
    const before = state;
    state = readState();
    if (map.isReady) {
      map.apply(state);
      if (!map.isAlone && (before.zone !== state.zone || before.place !== state.place)) {
        map.fit();
      }
      map.refresh();
    }
  }

  /* --- List and map point at each other ----------------------------------------------------- */

  for (const [kind, isOn] of [
    ["mouseover", true],
    ["focusin", true],
    ["mouseout", false],
    ["focusout", false],
  ]) {
    results.addEventListener(kind, (event) => {
      const row = event.target.closest("[data-spot-id]");
      if (map.isReady && row) {
        map.light(isOn ? Number(row.dataset.spotId) : null);
      }
    });
  }

  function lightRow(id) {
    for (const lit of results.querySelectorAll("[data-lit]")) {
      lit.removeAttribute("data-lit");
    }
    results.querySelector(`[data-spot-id="${id}"]`)?.setAttribute("data-lit", "");
  }

  /* Say in the list what has just become known of its spots. */
  function markRows(stateOf) {
    for (const row of results.querySelectorAll("[data-spot-id]")) {
      const state = row.querySelector(".spot__state");
      const is = stateOf(Number(row.dataset.spotId));
      if (is && state && !state.classList.contains(`spot__state--${is}`)) {
        const template = document.getElementById("spot-states").content;
        state.replaceWith(template.querySelector(`.spot__state--${is}`).cloneNode(true));
      }
    }
  }

  function readState() {
    return JSON.parse(document.getElementById("map-state").textContent);
  }

  function readWords() {
    const words = document.getElementById("map-words").content.querySelectorAll("[data-word]");
    return Object.fromEntries([...words].map((word) => [word.dataset.word, word.textContent]));
  }
})();
