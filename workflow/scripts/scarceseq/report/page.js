"use strict";
// What the page does besides being read: rows are filtered and sorted, the section in view is marked, marks tell.
// Nothing is fetched, nothing is kept; without scripts the page is whole.

const ROWS_FOR_FILTER = 8;

function valueOf(cell) {
  const text = (cell.title || cell.textContent).trim().replaceAll("−", "-").replaceAll(",", "");
  const number = Number(text);
  return text === "" || Number.isNaN(number) ? null : number;
}

function compare(one, other) {
  const [a, b] = [valueOf(one), valueOf(other)];
  if (a !== null && b !== null) return a - b;
  if (a !== null || b !== null) return a !== null ? -1 : 1;
  return one.textContent.localeCompare(other.textContent);
}

function sortable(table) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort by this column";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((one, other) => (falling ? -1 : 1) * compare(one.cells[column], other.cells[column]));
      table.tBodies[0].append(...rows);
    });
  });
}

function filterable(box) {
  const rows = [...box.querySelectorAll("tbody tr")];
  if (rows.length < ROWS_FOR_FILTER) return;
  const line = document.createElement("p");
  const field = document.createElement("input");
  const count = document.createElement("span");
  line.className = "filter";
  field.type = "search";
  field.placeholder = "Filter rows: words that all must occur";
  field.setAttribute("aria-label", "Filter rows of " + box.id);
  count.setAttribute("aria-live", "polite");
  line.append(field, count);
  box.querySelector(".scroll").before(line);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    count.textContent = words.length ? ` ${shown} of ${rows.length} rows` : "";
  });
}

function markSection() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        links.forEach((link) => link.removeAttribute("aria-current"));
        links.get(entry.target.id).setAttribute("aria-current", "true");
      }
    },
    { rootMargin: "-10% 0px -80% 0px" },
  );
  document.querySelectorAll("section[id]").forEach((section) => links.has(section.id) && watch.observe(section));
}

// What a mark or a label of a figure tells, for those who use no mouse: under the focus of the keyboard or a touch.
function hints() {
  const hint = document.createElement("div");
  hint.id = "hint";
  hint.setAttribute("role", "status");
  hint.hidden = true;
  document.body.append(hint);
  const titleOf = (element) => {
    for (; element && element.tagName !== "FIGURE"; element = element.parentElement) {
      const title = element.querySelector(":scope > title");
      if (title) return title.textContent;
    }
    return "";
  };
  const show = (element) => {
    const text = titleOf(element), place = element.getBoundingClientRect();
    hint.hidden = !text;
    if (hint.textContent !== text) hint.textContent = text;
    const left = Math.min(Math.max(8, place.left), innerWidth - hint.offsetWidth - 8);
    hint.style.left = Math.max(8, left) + "px";
    hint.style.top = Math.min(place.bottom + 6, innerHeight - hint.offsetHeight - 8) + "px";
  };
  for (const text of document.querySelectorAll("figure svg g:has(> title) > text, figure svg g:has(> title) > g > text")) {
    const label = text.closest(":has(> title)");
    label.setAttribute("tabindex", "0");
    label.setAttribute("role", "img");
    label.setAttribute("aria-label", text.textContent + ": " + titleOf(label));
    label.addEventListener("focus", () => show(label));
    label.addEventListener("blur", () => (hint.hidden = true));
  }
  document.addEventListener("click", (event) => {
    const inside = event.target.closest && event.target.closest("figure svg");
    if (inside) show(event.target);
    else hint.hidden = true;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hint.hidden = true;
  });
}

document.querySelectorAll(".tablebox").forEach((box) => {
  sortable(box.querySelector("table"));
  filterable(box);
});
markSection();
hints();
