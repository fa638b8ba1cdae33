// @ts-check
// An editable table: the visitor owns the cells, the server owns the figures beside them.
//
// The rows on screen are never overwritten by the server except when `data.version` changes (preset, import, undo):
// an answer to an older keystroke can then not take back a newer one. Every change sends the whole table with a
// growing sequence number; changes made without leaving one cell carry the same `edit` number, so that the server
// can keep them as one step of undo.
//
// data: {version, label, noun, add, columns: [{key, label, kind: text|number|output|share, help, optional, wide, hidden, upper, options}],
//        rows: [{id, cells: {key: text}}], figures: {id: {key: text | {text, share}}},
//        problems: {id: {key, text, offers: [[text, what it is]]}}, options: [[text, what it is]], compact}
// state: edit = {version, seq, edit, rows: [{id, cells}]}

const SEND_EVERY_MS = 60;

export default function (component) {
  const root = component.parentElement.querySelector(".editable");
  const view = (root.view ??= new Editable(root));
  view.update(component.data, component.setStateValue);
  return () => view.flush();
}

class Editable {
  constructor(root) {
    this.root = root;
    this.seq = 0;
    this.edit = 0;
    this.nextId = 1;
    this.showOptional = false;
    this.timer = null;
    this.sentAt = 0;
  }

  update(data, setStateValue) {
    this.setStateValue = setStateValue;
    const fresh = data.version !== this.data?.version;
    this.data = data;
    if (fresh) {
      clearTimeout(this.timer);
      this.timer = null;
      this.edit += 1;
      this.build();
    }
    this.paint();
  }

  // --- structure -----------------------------------------------------------------------------------------------

  build() {
    const { columns, rows, options, label } = this.data;
    this.showOptional ||= columns.some((c) => c.optional && rows.some((r) => r.cells[c.key]));
    this.root.replaceChildren();
    this.lists(options);
    const table = make("table", { ariaLabel: label });
    const head = make("tr");
    for (const column of columns) {
      head.append(make("th", { scope: "col", className: classOf(column), textContent: column.label, title: column.help ?? "" }));
    }
    const remove = make("th", { scope: "col", className: "remove" });
    remove.append(make("span", { className: "unseen", textContent: "Remove" }));
    head.append(remove);
    this.body = make("tbody");
    const thead = make("thead");
    thead.append(head);
    table.append(thead, this.body);
    this.root.append(table, this.footer());
    for (const row of rows) this.appendRow(row.id, row.cells);
    this.nextId = 1 + Math.max(0, ...rows.map((r) => r.id));
    this.applyOptional();
  }

  // What can be chosen in a text column: its own list, or the table's.
  lists(options) {
    const lists = new Map([["options", options], ...this.data.columns.filter((c) => c.options.length).map((c) => [`options-${c.key}`, c.options.map((o) => [o, ""])])]);
    for (const [id, values] of lists) {
      if (!values.length) continue;
      const list = make("datalist", { id });
      for (const [value, label] of values) list.append(make("option", label ? { value, label } : { value }));
      this.root.append(list);
    }
  }

  footer() {
    const foot = make("div", { className: "foot" });
    const add = make("button", { type: "button", textContent: `+ ${this.data.add}` });
    add.addEventListener("click", () => this.addRow({}).querySelector("input").focus());
    foot.append(add);
    const optional = this.data.columns.filter((c) => c.optional);
    if (optional.length) {
      const names = optional.map((c) => c.label.toLowerCase()).join(", ");
      const more = make("button", { type: "button", className: "quiet" });
      const relabel = () => {
        more.textContent = `${this.showOptional ? "Hide" : "Show"} ${names}`;
        more.ariaExpanded = String(this.showOptional);
      };
      more.addEventListener("click", () => {
        this.showOptional = !this.showOptional;
        this.applyOptional();
        relabel();
      });
      relabel();
      foot.append(more);
    }
    return foot;
  }

  applyOptional() {
    this.root.classList.toggle("all-columns", this.showOptional);
  }

  addRow(cells) {
    const row = this.appendRow(this.nextId, cells);
    this.nextId += 1;
    return row;
  }

  appendRow(id, cells) {
    const row = make("tr");
    row.dataset.id = id;
    for (const column of this.data.columns) {
      const cell = make("td", { className: classOf(column) });
      cell.dataset.key = column.key;
      cell.dataset.label = column.label;
      cell.hidden = column.hidden;
      if (column.kind === "text" || column.kind === "number") cell.append(this.input(row, column, cells[column.key] ?? ""));
      row.append(cell);
    }
    const remove = make("button", { type: "button", textContent: "×", title: "Remove this row" });
    remove.addEventListener("click", () => this.removeRow(row));
    const last = make("td", { className: "remove" });
    last.append(remove);
    row.append(last);
    this.body.append(row);
    this.number();
    return row;
  }

  removeRow(row) {
    const rows = this.rows();
    const at = rows.indexOf(row);
    const next = rows[at + 1] ?? rows[at - 1];
    row.note?.remove();
    row.remove();
    this.number();
    this.edit += 1;
    this.send();
    (next?.querySelector(".remove button") ?? this.root.querySelector(".foot button"))?.focus();
  }

  rows() {
    return [...this.body.querySelectorAll("tr[data-id]")];
  }

  // Each control says which row it belongs to, for screen readers and for tests.
  number() {
    this.rows().forEach((row, i) => {
      for (const input of row.querySelectorAll("input")) input.ariaLabel = `${input.dataset.name}, ${this.data.noun} ${i + 1}`;
      row.querySelector(".remove button").ariaLabel = `Remove ${this.data.noun} ${i + 1}`;
    });
  }

  input(row, column, value) {
    const number = column.kind === "number";
    const input = make("input", {
      type: "text",
      value,
      inputMode: number ? "decimal" : "text",
      autocomplete: "off",
      spellcheck: false,
      placeholder: column.placeholder ?? "",
    });
    input.setAttribute("autocapitalize", number || !column.upper ? "off" : "characters");
    const known = column.options.length ? column.options : column.upper ? this.data.options.map(([value]) => value) : [];
    if (!number && known.length) input.setAttribute("list", column.options.length ? `options-${column.key}` : "options");
    input.dataset.name = column.label;
    let before = value;
    input.addEventListener("focus", () => {
      before = input.value;
      this.edit += 1;
      if (number) input.select();
    });
    input.addEventListener("input", () => {
      if (number ? isNumber(input.value) : known.includes(input.value)) this.send();
    });
    input.addEventListener("change", () => {
      if (!number) input.value = column.upper ? input.value.trim().toUpperCase() : input.value.trim();
      this.send();
    });
    input.addEventListener("keydown", (event) => this.key(event, row, column, before));
    input.addEventListener("paste", (event) => this.paste(event, row, column));
    return input;
  }

  // --- keyboard and paste --------------------------------------------------------------------------------------

  key(event, row, column, before) {
    const input = event.currentTarget;
    if (event.key === "Enter") {
      event.preventDefault();
      this.send();
      const rows = this.rows();
      const next = rows[rows.indexOf(row) + (event.shiftKey ? -1 : 1)];
      const target = next?.querySelector(`td[data-key="${column.key}"] input`);
      if (target) target.focus();
      else if (!event.shiftKey && !next && [...row.querySelectorAll("input")].some((box) => box.value.trim())) {
        this.addRow({}).querySelector("input").focus();
      } else input.select();
    } else if (event.key === "Escape") {
      input.value = before;
      this.send();
    } else if (column.kind === "number" && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      const value = isNumber(input.value) ? toNumber(input.value) : 0;
      const step = niceStep(value) * (event.shiftKey ? 10 : 1);
      input.value = tidy(value + (event.key === "ArrowUp" ? step : -step), step);
      this.send();
    }
  }

  // Cells copied from a spreadsheet fill the table from here on, adding rows as needed.
  paste(event, row, column) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\t\n]/.test(text.trim())) {
      const value = pasted(text.trim());
      if (column.kind !== "number" || value === text.trim()) return;
      event.preventDefault();
      event.currentTarget.value = value;
      this.send();
      return;
    }
    event.preventDefault();
    const editable = this.data.columns.filter((c) => !c.hidden && (c.kind === "text" || c.kind === "number"));
    const first = editable.findIndex((c) => c.key === column.key);
    let at = this.rows().indexOf(row);
    let lines = text.trim().split(/\r?\n/).slice(0, 1000);
    if (lines.length > 1 && isHeader(lines[0].split("\t"), editable)) lines = lines.slice(1);
    for (const line of lines) {
      const target = this.rows()[at] ?? this.addRow({});
      line.split("\t").forEach((value, i) => {
        const next = editable[first + i];
        const input = next && target.querySelector(`td[data-key="${next.key}"] input`);
        if (input) input.value = next.kind === "number" ? pasted(value.trim()) : value.trim();
      });
      at += 1;
    }
    this.edit += 1;
    this.send();
  }

  // --- to the server -------------------------------------------------------------------------------------------

  send() {
    if (this.timer !== null) return;
    const wait = Math.max(0, this.sentAt + SEND_EVERY_MS - performance.now());
    if (wait === 0) this.sendNow();
    else this.timer = setTimeout(() => this.sendNow(), wait);
  }

  sendNow() {
    clearTimeout(this.timer);
    this.timer = null;
    const rows = this.read();
    const text = JSON.stringify(rows);
    if (text === this.lastSent && this.data.version === this.lastVersion) return;
    this.lastSent = text;
    this.lastVersion = this.data.version;
    this.sentAt = performance.now();
    this.seq += 1;
    this.setStateValue("edit", { version: this.data.version, seq: this.seq, edit: this.edit, rows });
  }

  flush() {
    if (this.timer !== null) this.sendNow();
  }

  read() {
    return this.rows().map((row) => {
      const cells = {};
      for (const cell of row.querySelectorAll("td[data-key]")) {
        const input = cell.querySelector("input");
        if (input) cells[cell.dataset.key] = input.value;
      }
      return { id: Number(row.dataset.id), cells };
    });
  }

  // --- from the server -----------------------------------------------------------------------------------------

  paint() {
    const { columns, figures, problems } = this.data;
    for (const column of columns) {
      for (const cell of this.root.querySelectorAll(`.column-${column.key}`)) cell.hidden = column.hidden;
    }
    for (const row of this.rows()) {
      const shown = figures[row.dataset.id] ?? {};
      for (const column of columns) {
        const cell = row.querySelector(`td[data-key="${column.key}"]`);
        const input = cell?.querySelector("input");
        if (input) input.placeholder = shown[column.key] ?? column.placeholder;
        else paintFigure(cell, shown[column.key]);
      }
      this.paintProblem(row, problems[row.dataset.id]);
    }
  }

  // A problem is a line of its own under the row it is about.
  paintProblem(row, problem) {
    for (const input of row.querySelectorAll("input")) {
      const here = problem !== undefined && input.closest("td").dataset.key === problem.key;
      input.ariaInvalid = here ? "true" : null;
    }
    if (problem === undefined) {
      row.note?.remove();
      row.note = null;
      return;
    }
    if (!row.note) {
      row.note = make("tr", { className: "problem" });
      const cell = make("td", { colSpan: this.data.columns.length + 1 });
      cell.setAttribute("role", "status");
      row.note.append(cell);
      row.after(row.note);
    }
    const said = JSON.stringify(problem);
    if (row.note.dataset.said === said) return;
    row.note.dataset.said = said;
    row.note.firstChild.replaceChildren(`⚠ ${problem.text} `, ...problem.offers.map((offer) => this.offer(row, problem.key, offer)));
  }

  // A button that writes what a cell may mean into it.
  offer(row, key, [value, what]) {
    const button = make("button", { type: "button", className: "offer", textContent: what ? `${value} (${what})` : value });
    button.addEventListener("click", () => {
      const input = row.querySelector(`td[data-key="${key}"] input`);
      input.value = value;
      this.edit += 1;
      this.send();
      input.focus();
    });
    return button;
  }
}

function paintFigure(cell, figure) {
  const text = typeof figure === "object" ? figure.text : (figure ?? "");
  if (cell.textContent !== text) cell.textContent = text;
  const share = typeof figure === "object" ? figure.share : 0;
  cell.classList.toggle("relief", share < 0);
  cell.style.setProperty("--share", String(Math.min(1, Math.abs(share))));
}

function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function classOf(column) {
  return [column.kind, `column-${column.key}`, column.optional ? "optional" : "", column.wide ? "wide-only" : ""].filter(Boolean).join(" ");
}

// The first line of a paste that names columns: no number in it, and at least one name that is ours.
function isHeader(cells, columns) {
  const names = columns.flatMap((c) => [c.label.toLowerCase(), c.key]);
  return cells.every((cell) => !/\d/.test(cell)) && cells.some((cell) => [...names, "size", "qty", "amount", "entry"].includes(cell.trim().toLowerCase()));
}

// A pasted number as people write them, -12,5  $65,000  1.234,5, as this table writes it; other text stays.
function pasted(text) {
  const plain = text.replace(/^([+-]?)\s*(?:US)?\$\s*/, "$1").replace(/[\s\u202f']/g, "").replace("−", "-");
  if (/^[+-]?\d{1,3}(\.\d{3})+,\d+$/.test(plain)) return plain.replaceAll(".", "").replace(",", ".");
  if (/^[+-]?\d*,\d+$/.test(plain) && !/^[+-]?[1-9]\d{0,2},\d{3}$/.test(plain)) return plain.replace(",", ".");
  return isNumber(plain) ? plain.replaceAll(",", "") : text;
}

function toNumber(text) {
  return Number(text.replaceAll(",", "").replace("−", "-"));
}

function isNumber(text) {
  return text.trim() !== "" && Number.isFinite(toNumber(text));
}

// One unit of the second significant digit: 30 moves by 1, 1.5 by 0.1, 0.05 by 0.001.
function niceStep(value) {
  return value === 0 ? 1 : 10 ** (Math.floor(Math.log10(Math.abs(value)) + 1e-9) - 1);
}

function tidy(value, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + 1);
  return String(Number(value.toFixed(Math.min(12, digits))));
}
