"use strict";
(() => {
  const form = document.querySelector(".filters");
  const rows = [...document.querySelectorAll(".chart li[id]")];
  const pauses = document.querySelectorAll(".chart .pause");
  const count = form.querySelector("output");

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
        && (!text || row.textContent.toLowerCase().includes(text));
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

  // From a row to the next one that is shown, in either direction.
  const move = (step, wanted) => {
    const visible = rows.filter((row) => !row.hidden && wanted(row));
    if (!visible.length) return;
    const here = rows.indexOf(document.activeElement.closest(".chart li[id]"));
    const next = step > 0 ? visible.find((row) => rows.indexOf(row) > here) : visible.findLast((row) => here < 0 || rows.indexOf(row) < here);
    const row = next || visible[step > 0 ? visible.length - 1 : 0];
    row.querySelector("summary").focus();
    row.scrollIntoView({ block: "center" });
  };

  const keys = {
    j: () => move(1, () => true), ArrowDown: () => move(1, () => true),
    k: () => move(-1, () => true), ArrowUp: () => move(-1, () => true),
    n: () => move(1, (row) => row.classList.contains("found")),
    p: () => move(-1, (row) => row.classList.contains("found")),
    "/": () => form.elements.text.focus(),
    Escape: all,
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.name === "text";
    if (event.ctrlKey || event.altKey || event.metaKey || (typing && event.key !== "Escape")) return;
    const inChart = event.target.closest(".chart");
    const act = keys[event.key];
    // Arrows scroll, unless an entry has the focus.
    if (!act || (event.key.startsWith("Arrow") && !inChart)) return;
    event.preventDefault();
    act();
  });

  // A link to an entry that is filtered away shows it again.
  const reveal = () => {
    const row = rows.find((it) => `#${it.id}` === location.hash);
    if (!row) return;
    if (row.hidden) all();
    row.querySelector("summary").focus();
    row.scrollIntoView({ block: "center" });
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
