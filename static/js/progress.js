/* Show how far work in the background is, and what came of it once it is done.

   <div data-progress-url="…"> holds [data-progress-text] and a <progress>. */
(function () {
  "use strict";

  const PAUSE_MS = 1_500;
  const LONGEST_MS = 20_000;

  const root = document.querySelector("[data-progress-url]");
  if (!root) {
    return;
  }
  const bar = root.querySelector("progress");
  const text = root.querySelector("[data-progress-text]");
  let pause = PAUSE_MS;
  setTimeout(ask, pause);

  async function ask() {
    try {
      const answer = await fetch(root.dataset.progressUrl, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) {
        throw new Error(String(answer.status));
      }
      const status = await answer.json();
      if (!status.is_open) {
        location.reload();
        return;
      }
      bar.max = status.total || 1;
      bar.value = status.done;
      if (text.textContent !== status.text) {
        text.textContent = status.text;
      }
      pause = PAUSE_MS;
    } catch {
      pause = Math.min(pause * 2, LONGEST_MS);
    }
    setTimeout(ask, pause);
  }
})();
