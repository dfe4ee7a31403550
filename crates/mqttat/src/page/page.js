"use strict";
(() => {
  const form = document.querySelector(".filters");
  const rows = [...document.querySelectorAll(".chart li[id]")];
  const pauses = document.querySelectorAll(".chart .pause");
  const count = form.querySelector("output");
  const places = new Map(rows.map((row, place) => [row, place]));

  // What an entry says, in small letters; read when it is first searched, because long sessions have much of it.
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const chosen = (name) => new Set([...form.elements].filter((it) => it.name === name && it.checked).map((it) => it.value));

  const apply = () => {
    const clients = chosen("client");
    const kinds = chosen("kind");
    const wrong = form.elements.wrong.checked;
    const text = form.elements.text.value.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = clients.has(row.dataset.client) && kinds.has(row.dataset.group)
        && (!wrong || row.classList.contains("found"))
        && (!text || textOf(row).includes(text));
      row.hidden = !fits;
      shown += fits;
    }
    for (const pause of pauses) pause.hidden = shown < rows.length;
    count.textContent = `${shown} of ${rows.length}`;
  };

  const all = () => {
    for (const it of form.elements) if (it.type === "checkbox") it.checked = it.name !== "wrong";
    form.elements.text.value = "";
    apply();
  };

  // From a row to the next one that is shown, in either direction. From outside the chart it begins at its near end.
  const move = (step, wanted) => {
    const visible = rows.filter((row) => !row.hidden && wanted(row));
    const here = places.get(document.activeElement.closest(".chart li[id]"));
    const next = step > 0
      ? visible.find((row) => here === undefined || places.get(row) > here)
      : visible.findLast((row) => here === undefined || places.get(row) < here);
    const row = next || visible[step > 0 ? visible.length - 1 : 0];
    if (row) go(row);
  };

  const keys = {
    j: () => move(1, () => true), ArrowDown: () => move(1, () => true),
    k: () => move(-1, () => true), ArrowUp: () => move(-1, () => true),
    n: () => move(1, (row) => row.classList.contains("found")),
    p: () => move(-1, (row) => row.classList.contains("found")),
    "/": () => form.elements.text.focus(),
    Escape: () => {
      all();
      // Out of the search field, where letters are text.
      document.activeElement.blur();
    },
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.name === "text";
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (typing && event.key === "Enter") {
      event.preventDefault();
      move(1, () => true);
      return;
    }
    if (typing && event.key !== "Escape") return;
    const inChart = event.target.closest(".chart");
    const act = keys[event.key];
    // Arrows scroll, unless an entry has the focus.
    if (!act || (event.key.startsWith("Arrow") && !inChart)) return;
    event.preventDefault();
    act();
  });

  const go = (row) => {
    row.querySelector("summary").focus();
    row.scrollIntoView({ block: "center" });
  };

  // A link to an entry that is filtered away shows it again. The browser, too, goes to it once it is there, and takes the
  // focus away with that: it is given behind.
  const reveal = () => {
    const row = rows.find((it) => `#${it.id}` === location.hash);
    if (!row) return;
    if (row.hidden) all();
    setTimeout(go, 0, row);
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
