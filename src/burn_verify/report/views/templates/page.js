"use strict";
// The tables of the page: filter, sort, open. Everything that is shown goes in as text, never as markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = (place) => (place === undefined || place === null ? "" : data.texts[place]);
  const byId = (id) => document.getElementById(id);
  const FIRST = 100;
  const NEXT = 200;
  const DEFAULTS = { view: "models", text: "", operator: "", status: "", rows: "models", target: "0", sort: "", case: "", column: "0", list: "" };
  const hasModels = data.cases.some((row) => row.model);
  if (!hasModels) DEFAULTS.rows = "all";
  if (!data.cases.some((row) => !row.model)) DEFAULTS.rows = "models";

  const bounded = data.cases.some((row) => row.cells[0].headroom !== undefined);

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) if (value !== null) made.setAttribute(key, value);
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  };
  const number = (value) => (value === null || value === undefined ? "" : Number.isInteger(value) && Math.abs(value) < 1e9 ? String(value) : typeof value === "number" && value && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential(1) : typeof value === "number" ? String(+value.toPrecision(3)) : String(value));

  // A long id breaks after a mark, and not within a word.
  const breakable = (id) => id.split(/(?<=[/,_=~-])/).flatMap((part) => [part, element("wbr")]);
  const NAMES = 12;
  const folded = (names) => names.length <= NAMES + 3 ? [names.join(", ")] : [names.slice(0, NAMES).join(", "), element("details", null, element("summary", null, `${names.length - NAMES} more`), names.slice(NAMES).join(", "))];
  const LINES = 14;
  const CHARACTERS = 1500;

  // Where the page stands is its address after the '#', so that every view and every cell has a link.
  const read = () => ({ ...DEFAULTS, ...Object.fromEntries([...new URLSearchParams(location.hash.slice(1))].filter(([key]) => Object.hasOwn(DEFAULTS, key))) });
  const address = (changes) => {
    const wanted = { ...state, ...changes };
    return "#" + new URLSearchParams(Object.entries(wanted).filter(([key, value]) => value !== DEFAULTS[key]));
  };
  let state = read();
  const go = (changes, { keep = false } = {}) => {
    const url = location.pathname + location.search + address(changes);
    history[keep ? "pushState" : "replaceState"](null, "", url);
    show();
  };

  const cell = (row, column, chip = "") => {
    const made = data.cases[row].cells[column];
    const how = data.states[made.state];
    const link = element("a", { class: `cell ${how.tone} ${chip}`, href: `#${new URLSearchParams({ case: data.cases[row].id, column })}`, "data-case": data.cases[row].id, "data-column": column });
    link.append(element("span", { "aria-hidden": "true" }, how.symbol), ` ${how.word}${made.expected === undefined ? "" : " (expected)"}`);
    return link;
  };
  const group = ([name, place, rows], list) => {
    const how = data.operatorStates[place];
    const label = `${name === how.word ? "" : `${name}: `}${how.word}, ${rows.length} ${rows.length === 1 ? "case" : "cases"}`;
    const mark = [element("span", { "aria-hidden": "true" }, how.symbol), ` ${name}`];
    if (!rows.length) return element("span", { class: `tag ${how.tone} chip`, title: label }, ...mark);
    return element("a", { class: `cell ${how.tone} chip`, href: `#${new URLSearchParams({ view: "operators", list })}`, "data-list": list, title: label, "aria-label": label }, ...mark);
  };
  const owned = (row) => row.versions.flatMap(([, , rows]) => rows);
  const why = (row) => {
    const worst = row.cells.find((made) => made.reason !== undefined || made.message !== undefined) || {};
    return [text(row.note), text(worst.reason) || text(worst.message).split("\n")[0]].filter(Boolean).join("; ");
  };

  // Anybody may write an address: what is no place in a list is no name of anything else either.
  const at = (list, place) => (Array.isArray(list) && /^\d+$/.test(place) ? list[place] : undefined);
  const placeOf = (value) => (at(data.targets, value) === undefined ? 0 : Number(value));
  const target = () => placeOf(state.target);
  const VIEWS = {
    models: {
      what: "cases",
      all: () => data.cases.map((row, place) => ({ row, place })).filter(({ row }) => state.rows === "all" || Boolean(row.model) === (state.rows === "models")),
      words: ({ row }) => `${row.id} ${row.operators.map(text).join(" ")} ${why(row)}`,
      operators: ({ row }) => row.operators.map(text),
      states: ({ row }) => row.cells.map((made) => data.states[made.state]),
      columns: () => [
        { name: "case", key: ({ row }) => row.id, cell: ({ row }) => element("th", { scope: "row" }, ...breakable(row.id)) },
        ...data.targets.map((name, column) => ({
          name, key: ({ row }) => row.cells[column].state, cell: ({ place }) => element("td", null, cell(place, column)),
        })),
        ...(bounded ? [{ name: "of its bound", kind: "number wide", key: ({ row }) => -(row.cells[0].headroom ?? -1), cell: ({ row }) => element("td", { class: "number wide" }, number(row.cells[0].headroom)) }] : []),
        { name: "why", kind: "wide", key: ({ row }) => why(row) || "\uffff", cell: ({ row }) => element("td", { class: "why wide" }, why(row)) },
      ],
    },
    operators: {
      what: "operators",
      all: () => data.operators[target()].map((row, place) => ({ row, place })),
      words: ({ row }) => `${row.name} ${text(row.problem)}`,
      operators: ({ row }) => [row.name],
      states: ({ row }) => [data.operatorStates[row.status]],
      columns: () => [
        { name: "operator", key: ({ row }) => row.name, cell: ({ row }) => element("th", { scope: "row" }, row.name) },
        { name: "status", key: ({ row }) => row.status, cell: ({ row, place }) => element("td", null, group([data.operatorStates[row.status].word, row.status, owned(row)], `operators.${place}.all`)) },
        { name: "agree / all", kind: "number", key: ({ row }) => -row.counts[2], cell: ({ row }) => element("td", { class: "number" }, row.counts[2] ? `${row.counts[0]} / ${row.counts[2]}` : "") },
        { name: "versions", kind: "wide", cell: ({ row, place }) => element("td", { class: "wide" }, ...row.versions.map((each, index) => group(each, `operators.${place}.versions.${index}`))) },
        { name: "dtypes", kind: "wide", cell: ({ row, place }) => element("td", { class: "wide" }, ...row.dtypes.map((each, index) => group(each, `operators.${place}.dtypes.${index}`)), row.untested ? element("span", { class: "small" }, `${row.untested} untested`) : "") },
        { name: "first problem", kind: "wide", key: ({ row }) => text(row.problem) || "\uffff", cell: ({ row }) => element("td", { class: "why wide" }, text(row.problem)) },
      ],
    },
    failures: {
      what: "causes",
      all: () => data.causes[target()].map((row, place) => ({ row, place })),
      words: ({ row }) => `${text(row.reason)} ${text(row.said)} ${text(row.kind)} ${text(row.stage)} ${row.operators.map(([name]) => text(name)).join(" ")}`,
      operators: ({ row }) => row.operators.map(([name]) => text(name)),
      states: ({ row }) => [data.states[data.cases[row.example].cells[target()].state]],
      columns: () => [
        { name: "cases", kind: "number", key: ({ row }) => -row.cases.length, cell: ({ row, place }) => element("td", { class: "number" }, element("a", { href: `#${new URLSearchParams({ view: "failures", list: `causes.${place}` })}`, "data-list": `causes.${place}`, "aria-label": `${row.cases.length} cases: ${text(row.reason)}` }, String(row.cases.length))) },
        { name: "cause", key: ({ row }) => text(row.reason), cell: ({ row }) => element("th", { scope: "row", class: "cause" }, text(row.reason), element("span", { class: "small wide said" }, text(row.said))) },
        { name: "smallest case", key: ({ row }) => data.cases[row.example].cells[target()].state, cell: ({ row }) => element("td", { class: "case" }, cell(row.example, target()), " ", element("span", { class: "small wide" }, ...breakable(data.cases[row.example].id))) },
        { name: "expected", kind: "number wide", key: ({ row }) => -row.expected, cell: ({ row }) => element("td", { class: "number wide" }, String(row.expected)) },
        { name: "operators", kind: "wide", cell: ({ row }) => element("td", { class: "wide" }, row.operators.slice(0, 4).map(([name, count]) => `${text(name)} ${count}`).join(", ") + (row.operators.length > 4 ? `, ${row.operators.length - 4} more` : "")) },
      ],
    },
  };

  // What a filter looks at is put together once a view, and not at every key.
  const prepared = new Map();
  const items = (view) => {
    const key = [state.view, view === VIEWS.models ? state.rows : target()].join();
    if (!prepared.has(key)) prepared.set(key, view.all().map((item) => ({ ...item, words: view.words(item).toLowerCase(), states: view.states(item), operators: new Set(view.operators(item).map((name) => name.toLowerCase())) })));
    return prepared.get(key);
  };
  const known = (() => {
    const names = new Set(data.operators.flat().map((row) => row.name));
    for (const row of data.cases) for (const place of row.operators) names.add(text(place));
    return [...names].sort();
  })();
  const lowercase = new Set(known.map((name) => name.toLowerCase()));
  const filtered = (view) => {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const operator = state.operator.trim().toLowerCase();
    const whole = lowercase.has(operator);
    return items(view).filter((item) =>
      words.every((word) => item.words.includes(word)) &&
      (!operator || (whole ? item.operators.has(operator) : [...item.operators].some((name) => name.includes(operator)))) &&
      (!state.status || item.states.some((how) => how.key === state.status)));
  };
  const collator = new Intl.Collator("en", { numeric: true });
  const sorted = (list, columns) => {
    const [place, direction] = state.sort.split(".");
    const key = columns[place] && columns[place].key;
    if (!key) return list;
    const sign = direction === "down" ? -1 : 1;
    return list.map((item) => [key(item), item]).sort(([one], [other]) => sign * (typeof one === "number" ? one - other : collator.compare(one, other))).map(([, item]) => item);
  };

  const table = byId("table");
  let waiting = [];
  const append = (count) => {
    const columns = VIEWS[state.view].columns();
    const rows = waiting.slice(0, count).map((item) => element("tr", null, ...columns.map((column) => column.cell(item))));
    waiting = waiting.slice(count);
    table.tBodies[0].append(...rows);
    byId("more").hidden = !waiting.length;
    byId("more").textContent = `Show ${Math.min(NEXT, waiting.length)} more of ${waiting.length}`;
  };
  const head = (columns) => {
    const [place, direction] = state.sort.split(".");
    table.tHead.replaceChildren(element("tr", null, ...columns.map((column, index) => {
      const here = String(index) === place && column.key;
      const made = element("th", { scope: "col", class: column.kind || null, "aria-sort": here ? (direction === "down" ? "descending" : "ascending") : null });
      if (!column.key) made.append(column.name);
      else made.append(element("button", { type: "button", "data-sort": index }, `${column.name}${here ? (direction === "down" ? " ▼" : " ▲") : ""}`));
      return made;
    })));
  };
  let drawn = "";
  const draw = () => {
    const view = VIEWS[state.view];
    const columns = view.columns();
    const list = sorted(filtered(view), columns);
    const all = items(view).length;
    head(columns);
    table.tBodies[0].replaceChildren();
    waiting = list;
    append(FIRST);
    byId("count").textContent = `${list.length === all ? "" : `${list.length} of `}${all} ${view.what}${list.length ? "" : ": nothing fits, clear a filter"}`;
  };
  const options = (select, entries, value) => {
    select.replaceChildren(...entries.map(([key, name]) => element("option", { value: key }, name)));
    select.value = value;
  };
  let counted = "";
  const count = () => {
    const counts = new Map();
    for (const item of items(VIEWS[state.view])) for (const how of new Set(item.states)) counts.set(how, (counts.get(how) || 0) + 1);
    const of = state.view === "operators" ? data.operatorStates : data.states;
    options(byId("status"), [["", "any"], ...of.filter((how) => counts.has(how)).map((how) => [how.key, `${how.symbol} ${how.word} (${counts.get(how)})`])], state.status);
  };
  const controls = () => {
    for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === state.view));
    for (const id of ["text", "operator"]) if (byId(id).value !== state[id]) byId(id).value = state[id];
    const key = [state.view, state.rows, target()].join();
    if (key !== counted) count();
    counted = key;
    byId("status").value = state.status;
    byId("rows").value = state.rows;
    byId("rows-label").hidden = state.view !== "models" || !hasModels || DEFAULTS.rows === "all";
    byId("target-label").hidden = state.view === "models" || data.targets.length < 2;
    byId("target").value = String(target());
  };

  const dialog = byId("evidence");
  const block = (title, content) => {
    if (!content) return [];
    const lines = content.split("\n");
    if (lines.length <= LINES + 3 && content.length <= CHARACTERS) return [element("h3", null, title), element("pre", null, content)];
    const first = lines.slice(0, LINES).join("\n").slice(0, CHARACTERS);
    const label = lines.length > LINES ? `all ${lines.length} lines` : `all ${content.length} characters`;
    return [element("h3", null, title), element("pre", null, `${first} …`), element("details", null, element("summary", null, label), element("pre", null, content))];
  };
  const METRICS = ["data set", "output", "type", "differ", "elements", "max abs", "ULP", "of its bound", "bound", "more"];
  const isText = (place) => place < 3 || place > 7;
  const measured = (rows) => !rows ? [] : [
    element("h3", null, "Numbers"),
    element("div", { class: "scroll", role: "region", "aria-label": "Numbers", tabindex: "0" }, element("table", null,
      element("thead", null, element("tr", null, ...METRICS.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", null, ...rows.map((row) => element("tr", null, ...row.map((value, place) => element("td", isText(place) ? { class: place > 7 ? "prose" : "word" } : { class: "number" }, isText(place) ? text(value) : number(value)))))))),
  ];
  const evidence = (place, column) => {
    const row = data.cases[place];
    const made = row.cells[column];
    const facts = [["target", data.targets[column]], ["stage", text(made.stage)], ["reason", text(made.reason)], ["expected", text(made.expected)], ["note", text(row.note)], ["operators", row.operators.length ? folded(row.operators.map(text)) : ""]];
    return [
      element("h2", { id: "evidence-title" }, ...breakable(row.id)),
      element("p", null, cell(place, column)),
      element("dl", { class: "facts" }, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", null, name), element("dd", null, ...[value].flat())])),
      ...block("It says", text(made.message)),
      ...block("Of the model", text(made.advice)),
      ...block("Fed", text(made.fed)),
      ...block(`Generated Rust${made.line === undefined ? "" : `, line ${made.line}`}`, text(made.rust)),
      ...measured(made.metrics),
      ...block("ONNX Runtime says", text(made.onnxruntime)),
      ...block("Reproduce", text(made.reproduce)),
      ...(data.targets.length < 2 ? [] : [element("h3", null, "Other targets"), element("ul", null, ...data.targets.map((name, other) => other === column ? "" : element("li", null, `${name}: `, cell(place, other))))]),
    ];
  };
  const listed = (title, rows) => [
    element("h2", { id: "evidence-title" }, title),
    element("p", { class: "small" }, `${rows.length} ${rows.length === 1 ? "case" : "cases"}`),
    element("ul", null, ...rows.slice(0, 300).map((place) => element("li", null, cell(place, target()), ` ${data.cases[place].id}`)), rows.length > 300 ? element("li", null, `${rows.length - 300} more`) : ""),
  ];
  const places = new Map(data.cases.map((row, place) => [row.id, place]));
  const content = () => {
    if (state.case) {
      const column = placeOf(state.column);
      if (places.has(state.case)) return evidence(places.get(state.case), column);
      return [element("h2", { id: "evidence-title" }, state.case), element("p", null, "No such case is in this report.")];
    }
    const [kind, place, part, index] = state.list.split(".");
    const cause = kind === "causes" && at(data.causes[target()], place);
    if (cause) return listed(text(cause.reason), cause.cases);
    const row = kind === "operators" && at(data.operators[target()], place);
    if (row && part === "all") return listed(`${row.name}, ${data.operatorStates[row.status].word}`, owned(row));
    const found = row && ["versions", "dtypes"].includes(part) && at(row[part], index);
    return found ? listed(`${row.name}, ${part === "versions" ? "version" : "dtype"} ${found[0]}`, found[2]) : null;
  };
  let opened = "";
  const open = () => {
    const wanted = [state.case, state.column, state.list].join("\n");
    const made = state.case || state.list ? content() : null;
    if (!made) { opened = ""; if (dialog.open) dialog.close(); return; }
    if (wanted !== opened) dialog.lastElementChild.replaceChildren(...made);
    opened = wanted;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
  };
  const show = () => {
    state = read();
    if (!Object.hasOwn(VIEWS, state.view)) state.view = DEFAULTS.view;
    const key = [state.view, state.text, state.operator, state.status, state.rows, state.target, state.sort].join("\n");
    if (key !== drawn) { controls(); draw(); drawn = key; }
    open();
  };

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const found = event.target.closest("[data-view], [data-sort], a[href^='#']");
    if (!found) return;
    if (found.dataset.view) return go({ view: found.dataset.view, status: "", sort: "", case: "", list: "" });
    if (found.dataset.sort) {
      go({ sort: `${found.dataset.sort}.${state.sort === `${found.dataset.sort}.up` ? "down" : "up"}` });
      // The heading was drawn anew, and with it the button that has the focus.
      table.tHead.querySelector(`[data-sort="${found.dataset.sort}"]`).focus();
      return;
    }
    const wanted = Object.fromEntries(new URLSearchParams(found.getAttribute("href").slice(1)));
    if (!wanted.case && !wanted.list) return;
    event.preventDefault();
    go({ case: "", list: "", ...wanted }, { keep: true });
  });
  for (const id of ["text", "operator"]) byId(id).addEventListener("input", () => go({ [id]: byId(id).value }));
  for (const id of ["status", "rows", "target"]) byId(id).addEventListener("change", () => go({ [id]: byId(id).value }));
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  document.querySelector(".filters").addEventListener("reset", (event) => {
    event.preventDefault();
    go({ text: "", operator: "", status: "", sort: "" });
  });
  dialog.addEventListener("close", () => go({ case: "", list: "" }));
  window.addEventListener("popstate", show);
  window.addEventListener("hashchange", show);
  window.addEventListener("beforeprint", () => append(waiting.length));
  // A button, and not the scrolling: what stands below the table has to be within reach.
  byId("more").addEventListener("click", () => append(NEXT));

  byId("operators").replaceChildren(...known.map((name) => element("option", { value: name })));
  options(byId("target"), data.targets.map((name, place) => [String(place), name]), "0");
  show();
})();
