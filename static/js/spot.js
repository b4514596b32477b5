/* Ask for the new price as soon as the time is changed, and keep what is typed below. */
(function () {
  "use strict";

  const offer = document.getElementById("offer");
  if (!offer) {
    return;
  }
  const TYPED = ["plate", "email"];

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && form.id === "stay" && form.checkValidity()) {
      load(`?${new URLSearchParams(new FormData(form))}`);
    }
  });

  /* Another length of this stay: without a script, the link itself leads there. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-stay]");
    if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
      event.preventDefault();
      load(link.search);
      offer.focus();
    }
  });

  async function load(query) {
    const mine = (load.asked = Symbol("load"));
    offer.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(query, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== load.asked) {
        return;
      }
      replace(page);
      history.replaceState(null, "", query);
    } catch {
      location.assign(query);
    } finally {
      offer.removeAttribute("aria-busy");
    }
  }

  function replace(page) {
    const typed = TYPED.map((name) => [name, field(document, name)?.value]);
    keepChoices();
    const focused = document.activeElement?.id;
    document.getElementById("stay").replaceWith(page.getElementById("stay"));
    offer.replaceChildren(...page.getElementById("offer").childNodes);
    for (const [name, value] of typed) {
      if (value) {
        kept[name] = value;
      }
      const input = field(document, name);
      if (input && kept[name]) {
        input.value = kept[name];
      }
    }
    for (const [id, isChosen] of choices) {
      const choice = document.getElementById(id);
      if (choice) {
        choice.checked = isChosen;
      }
    }
    if (focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  }

  /* What was typed also outlives a time at which the spot is taken and no form is shown. */
  const kept = {};
  const choices = new Map();

  function keepChoices() {
    for (const choice of document.querySelectorAll("#hold :is([type=radio], [type=checkbox])")) {
      choices.set(choice.id, choice.checked);
    }
  }

  function field(root, name) {
    return root.querySelector(`#hold [name="${name}"]`);
  }
})();
