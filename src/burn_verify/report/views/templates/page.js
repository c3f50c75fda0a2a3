"use strict";
// The tables of the page: filter, sort, open. Everything that is shown goes in as text, never as markup.
const begin = () => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = (place) => (place === undefined || place === null ? "" : data.texts[place]);
  const byId = (id) => document.getElementById(id);
  const FIRST = 50;
  const NEXT = 200;
  const FEW = 40;
  const DEFAULTS = { view: "models", text: "", operator: "", status: "", rows: "models", target: "0", sort: "", case: "", column: "0", list: "" };
  const hasModels = data.cases.some((row) => row.model);
  if (!hasModels) DEFAULTS.rows = "all";
  if (!data.cases.some((row) => !row.model)) DEFAULTS.rows = "models";

  const timed = data.cases.some((row) => row.cells.some((made) => made.times));
  const bounded = data.cases.some((row) => row.cells[0].headroom !== undefined);

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) if (value !== null) made.setAttribute(key, value);
    made.append(...children.filter((child) => child !== null && child !== ""));
    return made;
  };
  const number = (value) => (value === null || value === undefined ? "" : Number.isInteger(value) && Math.abs(value) < 1e9 ? String(value) : typeof value === "number" && value && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6) ? value.toExponential(1) : typeof value === "number" ? String(+value.toPrecision(3)) : String(value));

  // A long id breaks after a mark, and not within a word.
  const breakable = (id) => id.split(/(?<=[/,_=~-])|(?<=[a-z])(?=[A-Z])/).flatMap((part) => [part, element("wbr")]);
  const NAMES = 12;
  const folded = (names) => names.length <= NAMES + 3 ? [names.join(", ")] : [names.slice(0, NAMES).join(", "), element("details", null, element("summary", null, `${names.length - NAMES} more`), names.slice(NAMES).join(", "))];
  const LINES = 14;
  const CHARACTERS = 1500;

  const SVG = new DOMParser().parseFromString("<svg></svg>", "text/html").querySelector("svg").namespaceURI;
  const shape = (name, attributes, ...children) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

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
    const worst = row.cells.find((made) => made.why !== undefined) || {};
    return [text(row.note), text(worst.why)].filter(Boolean).join("; ");
  };

  // A square that is filled by the share of cases that agree, and the symbol of its status.
  const square = ([name, place, rows, agree], operator, list) => {
    const how = data.operatorStates[place];
    const label = `${operator}, ${name}: ${how.word}${rows.length ? `, ${agree} of ${rows.length} agree` : ""}`;
    const part = rows.length ? (20 * agree) / rows.length : 0;
    const picture = shape("svg", { viewBox: "0 0 30 22", "aria-hidden": "true" }, shape("rect", { class: "back", x: 1, y: 1, width: 28, height: 20 }), shape("rect", { class: "part", x: 1, y: 21 - part, width: 28, height: part }), shape("text", { x: 15, y: 16, "text-anchor": "middle" }, how.symbol));
    if (!rows.length) return element("span", { class: `cell ${how.tone}`, role: "img", "aria-label": label, title: label }, picture);
    return element("a", { class: `cell ${how.tone}`, href: `#${new URLSearchParams({ view: state.view, list })}`, "data-list": list, title: label, "aria-label": label }, picture);
  };
  const MIDDLE = ["no-program", "failed", "refused", "no-value"];
  const level = (state) => (state.tone === "good" ? 0 : state.key === "wrong" ? 2 : MIDDLE.includes(state.key) ? 1 : null);
  // The states of a case in the runs that were kept: agrees above, no answer in the middle, wrong below.
  const trailOf = (made, column) => {
    const runs = data.runs[column] || [];
    if (!made.trail) return null;
    const names = [...runs, "this run"];
    const states = [...made.trail.map((place) => (place < 0 ? null : data.states[place])), data.states[made.state]];
    const said = names.map((name, index) => `${name}: ${states[index] ? states[index].word : "not in it"}`);
    const at = states.map((state, index) => [12 + 22 * index, state && level(state) !== null ? 8 + 14 * level(state) : null, state]);
    const points = at.filter(([, y]) => y !== null);
    const width = 24 + 22 * (names.length - 1);
    const picture = shape("svg", { class: "trail", viewBox: `0 0 ${width} 46`, style: `width:${width}px;height:46px`, role: "img", "aria-label": said.join(", ") }, shape("polyline", { points: points.map(([x, y]) => `${x},${y}`).join(" ") }),
      ...at.map(([x, y, state], index) => shape("g", { class: state ? state.tone : "neutral" }, shape("title", {}, said[index]), shape("text", { x, y: (y === null ? 22 : y) + 5, "text-anchor": "middle" }, state ? state.symbol : "·"))));
    return [picture, names, states];
  };
  const operatorTrail = (row, column) => {
    const runs = (data.runs[column] || []).length;
    if (!runs) return "";
    const cells = owned(row).map((place) => data.cases[place].cells[column]);
    const parts = [...Array(runs + 1).keys()].map((run) => {
      const states = cells.map((made) => (run === runs ? made.state : made.trail ? made.trail[run] : -1)).filter((place) => place >= 0);
      return states.length ? [states.filter((place) => data.states[place].tone === "good").length, states.length] : null;
    });
    const shown = parts.map((part, run) => [8 + 14 * run, part]).filter(([, part]) => part);
    const label = parts.map((part) => (part ? `${part[0]} of ${part[1]}` : "none")).join(", ");
    return shape("svg", { class: "trail good", viewBox: `0 0 ${16 + 14 * runs} 24`, style: `width:${16 + 14 * runs}px;height:24px`, role: "img", "aria-label": `agree by run: ${label}` }, shape("title", {}, label),
      shape("polyline", { points: shown.map(([x, [agree, all]]) => `${x},${20 - (16 * agree) / all}`).join(" ") }), ...shown.map(([x, [agree, all]]) => shape("circle", { class: "dot", cx: x, cy: 20 - (16 * agree) / all, r: 2.5 })));
  };

  // Anybody may write an address: what is no place in a list is no name of anything else either.
  const at = (list, place) => (Array.isArray(list) && /^\d+$/.test(place) ? list[place] : undefined);
  const placeOf = (value) => (at(data.targets, value) === undefined ? 0 : Number(value));
  const target = () => placeOf(state.target);
  const bytes = (size) => (size === undefined ? "" : size < 1024 ? `${size} B` : size < 1048576 ? `${(size / 1024).toPrecision(3)} KiB` : `${(size / 1048576).toPrecision(3)} MiB`);
  const timesOf = (row) => {
    const found = (row.cells.find((made) => made.times) || {}).times;
    if (!found) return [];
    const [burn, runtime, ratio] = found.map(text);
    return [[burn || "not timed", runtime || "not timed"].join(" / "), element("span", { class: "small tolerance" }, ratio)];
  };
  const heat = (part, names) => ({
    what: "operators",
    heat: true,
    all: () => data.operators[target()].map((row, place) => ({ row, place })),
    words: ({ row }) => `${row.name} ${text(row.problem)}`,
    operators: ({ row }) => [row.name],
    states: ({ row }) => row[part].map(([, place]) => data.operatorStates[place]),
    columns: () => [
      { name: "operator", key: ({ row }) => row.name, cell: ({ row }) => element("th", { scope: "row" }, ...breakable(row.name)) },
      ...names().map((name) => ({ name, cell: ({ row, place }) => {
        const index = row[part].findIndex(([own]) => own === name);
        if (index >= 0) return element("td", null, square(row[part][index], row.name, `operators.${place}.${part}.${index}`));
        return part === "dtypes" && row.untested.includes(name) ? element("td", null, square([name, untested, [], 0], row.name, "")) : element("td");
      } })),
    ],
  });
  const untested = data.operatorStates.findIndex((how) => how.key === "untested");
  const USUAL = ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool", "string"];
  const once = (make) => { const made = new Map(); return () => { if (!made.has(target())) made.set(target(), make()); return made.get(target()); }; };
  const dtypes = once(() => {
    const names = new Set(data.operators[target()].flatMap((row) => [...row.dtypes.map(([name]) => name), ...row.untested]));
    return [...USUAL.filter((name) => names.has(name)), ...[...names].filter((name) => !USUAL.includes(name)).sort()];
  });
  const versions = once(() => [...new Set(data.operators[target()].flatMap((row) => row.versions.map(([name]) => name)))].sort((one, other) => one - other));
  const VIEWS = {
    dtypes: heat("dtypes", dtypes),
    versions: heat("versions", versions),
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
        ...(bounded ? [{ name: "of its bound", kind: "number wide", key: ({ row }) => -(row.cells[0].headroom ?? -1), cell: ({ row }) => element("td", { class: "number wide" }, number(row.cells[0].headroom), row.cells[0].bound === undefined ? "" : element("span", { class: "small tolerance" }, `tolerance ${text(row.cells[0].bound)}`)) }] : []),
        ...(timed ? [{ name: "Burn / ONNX Runtime", kind: "wide", cell: ({ row }) => element("td", { class: "wide times" }, ...timesOf(row)) }, { name: "weights", kind: "number wide", key: ({ row }) => -(row.cells[0].size ?? -1), cell: ({ row }) => element("td", { class: "number wide" }, bytes(row.cells[0].size)) }] : []),
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
        { name: "ordinary use", key: ({ row }) => row.ordinary[0], cell: ({ row }) => { const how = data.operatorStates[row.ordinary[0]]; return element("td", null, element("span", { class: `tag ${how.tone}` }, element("span", { "aria-hidden": "true" }, how.symbol), ` ${row.ordinary[2] ? `${how.word} ${row.ordinary[1]} / ${row.ordinary[2]}` : "no case"}`)); } },
        { name: "all", key: ({ row }) => row.status, cell: ({ row, place }) => element("td", null, group([data.operatorStates[row.status].word, row.status, owned(row)], `operators.${place}.all`)) },
        { name: "agree / all", kind: "number", key: ({ row }) => -row.counts[2], cell: ({ row }) => element("td", { class: "number" }, row.counts[2] ? `${row.counts[0]} / ${row.counts[2]}` : "") },
        ...((data.runs[target()] || []).length ? [{ name: "by run", kind: "wide", cell: ({ row }) => element("td", { class: "wide" }, operatorTrail(row, target())) }] : []),
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
        { name: "cause", key: ({ row }) => text(row.reason), cell: ({ row }) => element("th", { scope: "row", class: "cause" }, ...breakable(text(row.reason)), element("span", { class: "small wide said" }, text(row.said))) },
        { name: "smallest case", key: ({ row }) => data.cases[row.example].cells[target()].state, cell: ({ row }) => element("td", { class: "case" }, cell(row.example, target()), " ", element("span", { class: "small wide" }, ...breakable(data.cases[row.example].id))) },
        { name: "expected", kind: "number wide", key: ({ row }) => -row.expected, cell: ({ row }) => element("td", { class: "number wide" }, String(row.expected)) },
        { name: "operators", kind: "wide", cell: ({ row }) => element("td", { class: "wide names" }, ...breakable(row.operators.slice(0, 4).map(([name, count]) => `${text(name)} ${count}`).join(", ")), (row.operators.length > 4 ? `, ${row.operators.length - 4} more` : "")) },
      ],
    },
  };

  // What a filter looks at is put together once a view, and not at every key.
  const prepared = new Map();
  const items = (view) => {
    const key = [state.view, view === VIEWS.models ? state.rows : target()].join();
    if (!prepared.has(key)) prepared.set(key, view.all().map((item) => ({ ...item, words: view.words(item).toLowerCase(), states: view.states(item), operators: view.operators(item).map((name) => name.toLowerCase()) })));
    return prepared.get(key);
  };
  const known = (() => {
    const names = new Set(data.operators.flat().map((row) => row.name));
    for (const row of data.cases) for (const place of row.operators) names.add(text(place));
    return [...names].sort();
  })();
  const lowercase = new Set(known.map((name) => name.toLowerCase()));
  let found = {};
  const filtered = (view) => {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const operator = state.operator.trim().toLowerCase();
    const whole = lowercase.has(operator);
    // Who goes on typing looks among what was found so far.
    const rest = [state.view, state.rows, target(), operator, state.status].join("\n");
    const among = found.list && found.rest === rest && found.text && state.text.startsWith(found.text) ? found.list : items(view);
    const list = among.filter((item) =>
      words.every((word) => item.words.includes(word)) &&
      (!operator || (whole ? item.operators.includes(operator) : item.operators.some((name) => name.includes(operator)))) &&
      (!state.status || item.states.some((how) => how.key === state.status)));
    found = { list, rest, text: state.text };
    return list;
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
  const drawn = (item, columns) => element("tr", null, ...columns.map((column) => column.cell(item)));
  // A row is drawn once: a filter only chooses among them.
  const kept = (item, columns) => (item.drawn ??= drawn(item, columns));
  const append = (count) => {
    const columns = VIEWS[state.view].columns();
    const rows = waiting.slice(0, count).map((item) => kept(item, columns));
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
  let last = "";
  const draw = () => {
    const view = VIEWS[state.view];
    const columns = view.columns();
    const list = sorted(filtered(view), columns);
    const all = items(view).length;
    head(columns);
    table.tBodies[0].replaceChildren();
    waiting = list;
    byId("scroll").classList.toggle("heat", Boolean(view.heat));
    append(view.heat ? FEW : FIRST);
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
    const of = ["operators", "dtypes", "versions"].includes(state.view) ? data.operatorStates : data.states;
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
  // How many elements are how many units in the last place from what was expected: 0, 1, up to 3, up to 7 …
  const upTo = (place) => (place ? 2 ** place - 1 : 0);
  const ulps = (counts, name) => {
    const most = Math.max(...counts);
    const step = 540 / counts.length;
    const label = counts.map((count, place) => `${count} up to ${number(upTo(place))}`).join(", ");
    return [element("p", { class: "small" }, `${name}: elements by distance in ULP`), shape("svg", { class: "ulps", viewBox: "0 0 560 110", role: "img", "aria-label": `${name}, elements by distance in ULP: ${label}` },
      ...counts.flatMap((count, place) => [shape("rect", { x: 10 + place * step, y: 90 - (76 * count) / most, width: Math.max(step - 3, 1), height: (76 * count) / most }, shape("title", {}, `${count} elements up to ${number(upTo(place))} ULP`)),
        ...(counts.length < 14 || place % 4 === 0 ? [shape("text", { x: 10 + (place + 0.5) * step, y: 105, "text-anchor": "middle" }, `${place > 1 ? "≤" : ""}${number(upTo(place))}`)] : []),
        ...(count ? [shape("text", { x: 10 + (place + 0.5) * step, y: 86 - (76 * count) / most, "text-anchor": "middle" }, counts.length < 14 ? String(count) : "")] : [])]))];
  };
  // The nodes of a model in the order of the graph: the fuller the colour, the nearer to the bound; the first wrong one is taller.
  const strip = (nodes, text) => {
    if (!nodes || !nodes.length) return [];
    const step = 540 / nodes.length;
    const first = nodes.findIndex(([, , tone]) => tone === "wrong");
    const label = ([name, type, tone, used]) => `${text(type)} ${text(name)}: ${tone === "wrong" ? "wrong" : tone === "good" ? "right" : "in no piece that ran"}${used === null ? "" : `, ${number(used)} of its bound`}`;
    return [shape("svg", { class: "strip", viewBox: "0 0 560 50", role: "img", "aria-label": `${nodes.length} nodes${first < 0 ? "" : `; the first wrong one is ${label(nodes[first])}`}` },
      ...nodes.map((node, place) => shape("rect", { class: node[2], x: 10 + place * step, y: place === first ? 5 : 15, width: Math.max(step * 0.85, 1), height: place === first ? 40 : 20, "fill-opacity": node[2] === "good" ? 0.25 + 0.75 * Math.min(node[3] || 0, 1) : 1 }, shape("title", {}, label(node)))))];
  };
  const measured = (rows, text) => !rows ? [] : [
    element("h3", null, "Numbers"),
    element("div", { class: "scroll", role: "region", "aria-label": "Numbers", tabindex: "0" }, element("table", null,
      element("thead", null, element("tr", null, ...METRICS.map((name) => element("th", { scope: "col" }, name)))),
      element("tbody", null, ...rows.map((row) => element("tr", null, ...row.map((value, place) => element("td", isText(place) ? { class: place > 7 ? "prose" : "word" } : { class: "number" }, isText(place) ? text(value) : number(value)))))))),
  ];
  // The evidence of some cases at a time, read when one of them is opened.
  const chunks = new Map();
  const evidenceOf = (place, column) => {
    const chunk = Math.floor(place / data.chunk);
    if (!chunks.has(chunk)) chunks.set(chunk, JSON.parse(byId(`evidence-${chunk}`).textContent));
    const { cells, texts } = chunks.get(chunk);
    return [cells[place % data.chunk][column], (index) => (index === undefined || index === null ? "" : texts[index])];
  };
  const byRun = (made, column) => {
    const found = trailOf(made, column);
    if (!found) return [];
    const [picture, names, states] = found;
    return [element("h3", null, "By run"), element("div", { class: "scroll", role: "region", "aria-label": "By run", tabindex: "0" }, picture), element("details", null, element("summary", null, "as a table"), element("table", null, element("tbody", null, ...names.map((name, index) => element("tr", null, element("th", { scope: "row" }, name), element("td", null, states[index] ? states[index].word : "not in it"))))))];
  };
  const evidence = (place, column) => {
    const row = data.cases[place];
    const shown = row.cells[column];
    const [made, said] = evidenceOf(place, column);
    const facts = [["target", data.targets[column]], ["stage", said(made.stage)], ["reason", said(made.reason)], ["expected", text(shown.expected)], ["note", text(row.note)], ["operators", row.operators.length ? folded(row.operators.map(text)) : ""]];
    return [
      element("h2", { id: "evidence-title" }, ...breakable(row.id)),
      element("p", null, cell(place, column)),
      element("dl", { class: "facts" }, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", null, name), element("dd", null, ...[value].flat())])),
      ...block("It says", said(made.message)),
      ...block("Where", said(made.located)),
      ...strip(made.strip, said),
      ...block("Of the model", said(made.advice)),
      ...block("Fed", said(made.fed)),
      ...block(`Generated Rust${made.line === undefined ? "" : `, line ${made.line}`}`, said(made.rust)),
      ...measured(made.metrics, said),
      ...(made.ulps || []).flatMap(([name, counts]) => ulps(counts, said(name))),
      ...byRun(shown, column),
      ...block("ONNX Runtime says", said(made.onnxruntime)),
      ...block("Reproduce", said(made.reproduce)),
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
    if (key !== last) { controls(); draw(); last = key; }
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
  document.documentElement.dataset.ready = "yes";
};
// What stands in the page already is painted before much is read.
if (document.getElementById("data").textContent.length < 1e6) begin();
else requestAnimationFrame(() => setTimeout(begin));
