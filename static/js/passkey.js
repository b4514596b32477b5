/* Say it where a passkey cannot be used: [data-passkey-refusal] is shown when it fails, and
   [data-passkey] is hidden where the browser knows nothing of passkeys. */
(function () {
  "use strict";

  if (!window.PublicKeyCredential) {
    document.querySelectorAll("[data-passkey]").forEach((button) => (button.hidden = true));
  }
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const refusal = document.querySelector("[data-passkey-refusal]");
    refusal.hidden = true;
    requestAnimationFrame(() => (refusal.hidden = false));
  });
})();
