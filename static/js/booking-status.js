/* Keep a booking's page true: ask its status and put the answer in place.

   <div data-status-url="…" data-status-state="held"> holds [data-status-field="name"] for texts and
   [data-status-lamp="name"] for lamps. The answer is {state, is_moving, fields, lamps}; another
   state is worth a new page, and without is_moving nothing is asked again. */
(function () {
  "use strict";

  const FIRST_MS = 2_000;
  const LONGEST_MS = 30_000;
  const GROWTH = 1.15;

  const root = document.querySelector("[data-status-url]");
  if (!root) {
    return;
  }
  let pause = FIRST_MS;
  let timer = 0;

  document.addEventListener("visibilitychange", again);
  document.addEventListener("countdown:over", again);
  schedule();

  function schedule() {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  /* Somebody is looking again, or the time is up: ask soon. */
  function again() {
    if (!document.hidden) {
      pause = FIRST_MS;
      schedule();
    }
  }

  async function ask() {
    if (document.hidden) {
      return;
    }
    try {
      const answer = await fetch(root.dataset.statusUrl, { headers: { Accept: "application/json" } });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      const status = await answer.json();
      if (status.state !== root.dataset.statusState) {
        location.reload();
        return;
      }
      show(status);
      if (!status.is_moving) {
        return;
      }
      pause = Math.min(pause * GROWTH, LONGEST_MS);
    } catch {
      pause = Math.min(pause * 2, LONGEST_MS);
    }
    schedule();
  }

  function show({ fields = {}, lamps = {} }) {
    for (const [name, text] of Object.entries(fields)) {
      for (const element of root.querySelectorAll(`[data-status-field="${name}"]`)) {
        if (element.textContent !== text) {
          element.textContent = text;
        }
      }
    }
    for (const [name, lamp] of Object.entries(lamps)) {
      for (const element of root.querySelectorAll(`[data-status-lamp="${name}"]`)) {
        element.dataset.light = lamp.light;
        element.dataset.pattern = lamp.pattern;
      }
    }
  }
})();
