/* What was typed comes along when the language is changed: in this tab only, and once. */
(function () {
  "use strict";

  const KEY = "typed";
  const NOT_KEPT = ["hidden", "password", "file", "submit", "button"];
  const fields = [...document.querySelectorAll("main :is(input, select, textarea)[name]")].filter(
    (field) => !NOT_KEPT.includes(field.type),
  );

  document.querySelector("[data-languages]")?.addEventListener("click", (event) => {
    if (event.target.closest("a, button")) {
      sessionStorage.setItem(KEY, JSON.stringify(fields.filter(isChanged).map(describe)));
    }
  });

  const kept = JSON.parse(sessionStorage.getItem(KEY) || "[]");
  sessionStorage.removeItem(KEY);
  for (const { name, type, value, checked } of kept) {
    const isChoice = type === "checkbox" || type === "radio";
    const field = fields.find(
      (one) => one.name === name && one.type === type && (!isChoice || one.value === value),
    );
    if (field && isChoice) {
      field.checked = checked;
    } else if (field) {
      field.value = value;
    }
  }

  function isChanged(field) {
    if (field.options) {
      return [...field.options].some((option) => option.selected !== option.defaultSelected);
    }
    return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  }

  function describe({ name, type, value, checked }) {
    return { name, type, value, checked };
  }
})();
