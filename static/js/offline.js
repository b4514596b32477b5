/* Keep the visitor's running booking for the time without a network, and nobody else's.

   This script's own element names the worker, the page that is shown without a network, and the
   visitor, whom that page itself does not know. [data-keep-until] marks the page of a booking, with the end of its stay. */
(function () {
  "use strict";

  const { worker, offlinePage, visitor } = document.currentScript.dataset;
  if (!("serviceWorker" in navigator)) {
    return;
  }
  const mine = `booking-${visitor}`;

  if (visitor !== undefined) {
    forgetOthers();
  }
  window.addEventListener("load", () => keep().catch(() => {})); // no network: nothing to keep

  async function keep() {
    await navigator.serviceWorker.register(worker, { scope: "/" });
    await navigator.serviceWorker.ready;
    await keepOfflinePage();
    if (document.querySelector("[data-keep-until]")) {
      await keepBooking();
    }
  }

  /* Whoever signs out or in, or comes back after a session, is another visitor. */
  async function forgetOthers() {
    for (const name of await caches.keys()) {
      if (name.startsWith("booking-") && name !== mine) {
        await caches.delete(name);
      }
    }
  }

  async function keepOfflinePage() {
    const pages = await caches.open("pages");
    if (!(await pages.match(offlinePage))) {
      await pages.add(new Request(offlinePage, { credentials: "omit" }));
    }
  }

  /* One booking at a time: the one that was looked at last. */
  async function keepBooking() {
    const answer = await fetch(location.pathname);
    if (answer.ok && !answer.redirected) {
      await caches.delete(mine);
      await (await caches.open(mine)).put(location.pathname, answer);
    }
  }
})();
