/* Say it where a passkey cannot be used: [data-passkey-refusal] is shown when it fails, and
   [data-passkey] gives way to [data-passkey-absent] where there are none: in old browsers, and at
   numbers instead of names, such as 127.0.0.1. */
(function () {
  "use strict";

  const isNumber = /^[\d.]+$|:/.test(location.hostname);
  if (!window.PublicKeyCredential || isNumber) {
    document.querySelectorAll("[data-passkey]").forEach((button) => (button.hidden = true));
    document.querySelectorAll("[data-passkey-absent]").forEach((note) => (note.hidden = false));
  }
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const refusal = document.querySelector("[data-passkey-refusal]");
    refusal.hidden = true;
    requestAnimationFrame(() => (refusal.hidden = false));
  });
})();
