/* Count down to a moment: <span class="countdown" data-until="2026-03-03T08:10:00+00:00">.

   It shows 30 s less than there are, so that whoever starts to pay at the last second is in time,
   in the words of `data-shown`, in which {time} is what is left. A live region says it at first, at
   two minutes and at thirty seconds: `data-first`, `data-soon`, `data-last` and `data-over`.
   `data-now`, the server's time of the page, corrects a clock that is wrong. At the end
   `countdown:over` is dispatched. */
(function () {
  "use strict";

  const MARGIN_MS = 30_000;
  const SOON_S = 120;
  const LAST_S = 30;
  const FIRST_MS = 1_000; // a region that is new is not read yet

  document.querySelectorAll(".countdown[data-until]").forEach(start);

  function start(element) {
    const { until, now, shown = "{time}", first = "" } = element.dataset;
    const { soon = "{time}", last = "{time}", over = "0:00" } = element.dataset;
    const offset = now ? Date.parse(now) - Date.now() : 0;
    const end = Date.parse(until) - MARGIN_MS;
    const voice = document.createElement("span");
    voice.className = "visually-hidden";
    voice.setAttribute("role", "status");
    element.after(voice);
    let before = Infinity;
    const timer = setInterval(tick, 250);
    tick();

    function tick() {
      const left = Math.max(0, Math.ceil((end - Date.now() - offset) / 1000));
      if (left === before) {
        return;
      }
      element.textContent = left ? shown.replace("{time}", clock(left)) : over;
      if (before === Infinity && left > SOON_S) {
        setTimeout(() => (voice.textContent = first.replace("{time}", clock(left))), FIRST_MS);
      }
      if (left <= SOON_S && before > SOON_S) {
        element.dataset.state = "soon";
        voice.textContent = soon.replace("{time}", clock(left));
      }
      if (left <= LAST_S && before > LAST_S) {
        element.dataset.state = "last";
        voice.textContent = last.replace("{time}", clock(left));
      }
      if (!left) {
        element.dataset.state = "over";
        voice.textContent = over;
        clearInterval(timer);
        element.dispatchEvent(new CustomEvent("countdown:over", { bubbles: true }));
      }
      before = left;
    }
  }

  /* In the digits of the page's language. */
  function figure(value, places) {
    const options = { useGrouping: false, minimumIntegerDigits: places };
    return new Intl.NumberFormat(document.documentElement.lang || [], options).format(value);
  }

  function clock(seconds) {
    return `${figure(Math.floor(seconds / 60), 1)}:${figure(seconds % 60, 2)}`;
  }
})();
