/* What a phone shows without a network: the visitor's running booking as it was last seen, and for
   every other page one that says so. Pages are always asked of the network first; nothing but the
   booking is kept of anybody, and offline.js removes it when another person uses the browser.

   self.FILES are the addresses of what these pages are drawn with. */
"use strict";

const FILES = "files";
const PAGES = "pages";
const BOOKING = "booking-";

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(prepare());
});

self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith(page(event));
  } else if (self.FILES.includes(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(request)));
  }
});

/* Another state of the site: its pages may say other things, so that none of the former is kept. */
async function prepare() {
  await caches.delete(PAGES);
  await (await caches.open(FILES)).addAll(self.FILES);
}

async function takeOver() {
  const cache = await caches.open(FILES);
  for (const kept of await cache.keys()) {
    if (!self.FILES.includes(new URL(kept.url).pathname)) {
      await cache.delete(kept);
    }
  }
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

async function page(event) {
  const { pathname } = new URL(event.request.url);
  try {
    const answer = (await event.preloadResponse) || (await fetch(event.request));
    if (answer.status === 403 || answer.status === 404) {
      await forget(pathname);
    }
    return answer;
  } catch {
    const booking = await running();
    if (booking?.pathname === pathname) {
      return booking.answer;
    }
    return (await offlinePage(pathname, booking?.pathname)) || Response.error();
  }
}

/* Return the kept booking, unless its stay is over. */
async function running() {
  for (const name of await caches.keys()) {
    if (!name.startsWith(BOOKING)) {
      continue;
    }
    const cache = await caches.open(name);
    for (const kept of await cache.keys()) {
      const answer = await cache.match(kept);
      const html = await answer.text();
      const until = /data-keep-until="([^"]+)"/.exec(html)?.[1];
      if (Date.parse(until) > Date.now()) {
        const { pathname } = new URL(kept.url);
        return { pathname, answer: rewritten(answer, html.replace("data-kept-notice hidden", "")) };
      }
      await cache.delete(kept);
    }
  }
  return null;
}

async function forget(pathname) {
  for (const name of await caches.keys()) {
    if (name.startsWith(BOOKING)) {
      await (await caches.open(name)).delete(pathname);
    }
  }
}

/* Return the offline page of this page's language: /fa/offline/ for what is beneath /fa/. */
async function offlinePage(pathname, booking) {
  const cache = await caches.open(PAGES);
  const of = (kept) => new URL(kept.url).pathname.replace(/offline\/$/, "");
  const fitting = (await cache.keys())
    .filter((kept) => pathname.startsWith(of(kept)))
    .sort((one, other) => of(other).length - of(one).length);
  const kept = fitting[0] || (await cache.keys())[0];
  if (!kept) {
    return null;
  }
  const answer = await cache.match(kept);
  const link = booking ? `href="${encodeURI(booking)}"` : null;
  const html = await answer.text();
  return rewritten(answer, link ? html.replace('data-kept-booking hidden href=""', link) : html);
}

function rewritten(answer, html) {
  return new Response(html, { headers: answer.headers });
}
