// Uses a page of `mqttat replay` as a person does, and writes into the document what does not work. `.ci/page` puts it
// behind the page's own script.
"use strict";
(async () => {
  const wrong = [];
  const check = (holds, what) => { if (!holds) wrong.push(what); };
  const form = document.querySelector(".filters");
  const rows = [...document.querySelectorAll(".chart li[id]")];
  const found = rows.filter((row) => row.classList.contains("found"));
  const shown = () => rows.filter((row) => row.getClientRects().length > 0);
  const are = (list, others) => list.length === others.length && list.every((row, at) => row === others[at]);
  const here = () => document.activeElement.closest(".chart li[id]");
  const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const gone = () => new Promise((done) => {
    addEventListener("hashchange", () => setTimeout(done, 50), { once: true });
    setTimeout(done, 3000);
  });

  // Filters.
  for (const box of form.querySelectorAll("input[name=client], input[name=kind]")) {
    const of = (row) => box.name === "client" ? row.dataset.client : row.dataset.group;
    box.click();
    check(are(shown(), rows.filter((row) => of(row) !== box.value)), `${box.name} ${box.value} is not filtered`);
    box.click();
    check(are(shown(), rows), `${box.name} ${box.value} does not come back`);
  }
  form.elements.wrong.click();
  check(are(shown(), found), "what looks wrong is not all that is shown");
  check(form.querySelector("output").textContent === `${found.length} of ${rows.length}`, "the count is not that of what is shown");
  form.elements.wrong.click();

  // Keys.
  document.activeElement.blur();
  const keys = (list) => { for (const key of list) press(key); return here(); };
  if (found.length) {
    check(keys("n") === found[0], "n does not go to the first finding");
    check(keys("n") === found[Math.min(1, found.length - 1)], "n does not go on");
    check(keys(["p", "p"]) === found[0], "p does not go back");
    const box = here().getBoundingClientRect();
    const bar = form.getBoundingClientRect();
    check(box.top >= bar.bottom && box.bottom <= innerHeight, "a finding that was gone to is not in sight");
  }
  document.activeElement.blur();
  check(keys("jj") === rows[1] && keys("k") === rows[0], "j and k do not go on and back");
  check(keys(["ArrowDown"]) === rows[1] && keys(["ArrowUp"]) === rows[0], "arrows do not go on and back");
  keys("/");
  check(document.activeElement === form.elements.text, "/ does not go to the search");
  check(keys("n") === null, "a letter of a search goes somewhere");
  const word = rows.at(-1).querySelector("code").textContent;
  form.elements.text.value = word;
  form.elements.text.dispatchEvent(new Event("input", { bubbles: true }));
  check(shown().length && shown().every((row) => row.textContent.toLowerCase().includes(word.toLowerCase())), "the search shows something else");
  check(keys(["Enter"]) === shown()[0], "Enter does not go to what was found");
  keys("/");
  press("Escape");
  check(are(shown(), rows) && document.activeElement === document.body, "Escape does not end the search");

  // All of an entry, and links to entries that are filtered away.
  rows[0].querySelector("summary").click();
  check(rows[0].querySelector(".more").getClientRects().length > 0, "an entry does not open");
  rows[0].querySelector("summary").click();
  const link = document.querySelector(".findings a");
  if (link) {
    form.elements.text.value = "no such text";
    form.elements.text.dispatchEvent(new Event("input", { bubbles: true }));
    check(!shown().length, "a text that is not there is found");
    const there = gone();
    link.click();
    await there;
    check(here() && `#${here().id}` === link.getAttribute("href"), "a finding's link does not lead to its entry");
  }

  // Looks: the verdict is the first thing that is seen, and nothing lies on anything else.
  scrollTo(0, 0);
  check(document.querySelector(".verdict").getBoundingClientRect().bottom < innerHeight / 2, "the verdict is not seen at once");
  check(document.documentElement.scrollWidth <= innerWidth, "the page is wider than the window");
  let bottom = 0;
  for (const row of document.querySelectorAll(".chart ol > li")) {
    const box = row.getBoundingClientRect();
    check(box.top >= bottom - 1, `${row.id || "a pause"} lies on what is above it`);
    bottom = box.bottom;
    const [lane, meaning] = [row.querySelector(".lane"), row.querySelector(".meaning")].map((it) => it?.getBoundingClientRect());
    check(!lane || innerWidth < 760 || lane.right <= meaning.left, `${row.id}: the meaning lies on the arrow`);
    check(!lane || lane.width > 100, `${row.id}: there is no room for the arrow`);
  }

  const verdict = document.createElement("pre");
  verdict.id = "driven";
  verdict.textContent = wrong.length ? wrong.slice(0, 20).join("\n") : `all of it works, ${rows.length} entries`;
  document.body.append(verdict);
})();
