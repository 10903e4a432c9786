// A plot of intervals: bars for energies and powers, a line for the state of charge. Its values are read with the
// pointer, or with the arrow keys once it has the focus.
import { axisOf } from "./axis.js";
import { h } from "./dom.js";
import { number } from "./format.js";

const HEIGHT = 220;
// Below this width only each second tick has room for its label.
const NARROW = 480;
const GAP = 0.86;
const dark = matchMedia("(prefers-color-scheme: dark)");

export class Plot {
  element = h("div", { class: "plot", tabindex: "0", role: "slider", "aria-orientation": "horizontal" });
  #period;
  #columns;
  #rows;
  #describe;
  #chart = null;
  #axis;
  #resizing = new ResizeObserver(() => this.#chart?.setSize({ width: this.element.clientWidth, height: HEIGHT }));
  #redraw = () => this.#draw();

  /** `describe`: the text for a row, or for none. `columns`: see series_kinds.js. */
  constructor({ period, columns, intervals, label, describe }) {
    this.#period = period;
    this.#columns = columns;
    this.#describe = describe;
    this.#axis = axisOf(period, intervals);
    this.#rows = withGaps(intervals);
    this.element.setAttribute("aria-label", label);
    this.element.addEventListener("keydown", (event) => this.#move(event));
    this.#tell(null);
  }

  /** Draws; the element must be in the document. */
  start() {
    this.#draw();
    this.#resizing.observe(this.element);
    dark.addEventListener("change", this.#redraw);
  }

  close() {
    this.#resizing.disconnect();
    dark.removeEventListener("change", this.#redraw);
    this.#chart?.destroy();
  }

  #draw() {
    this.#chart?.destroy();
    const colour = (name) => getComputedStyle(this.element).getPropertyValue(name).trim();
    const place = (row) => (row.gap ? row.gap : this.#axis.x(row));
    const values = this.#columns.map((column) => this.#rows.map((row) => (row.gap ? null : signed(column, row))));
    this.#chart = new window.uPlot(this.#options(colour), [this.#rows.map(place), ...values], this.element);
  }

  #options(colour) {
    const { min, max, ticks, label } = this.#axis;
    const text = { stroke: colour("--muted"), font: "12px system-ui, sans-serif", ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
    const charges = this.#columns.some((column) => column.unit === "%");
    const scales = { x: { time: false, range: [min, max] }, y: { range: verticalRange }, "%": { range: [0, 103] } };
    const axes = [
      { ...text, size: 32, grid: { show: false }, splits: () => (this.element.clientWidth < NARROW ? ticks.filter((_, place) => place % 2 === 0) : ticks), values: (_, splits) => splits.map(label) },
      { ...text, size: 50, values: (_, splits) => splits.map((split) => number(Math.abs(split), 2)) },
      ...(charges ? [{ ...text, scale: "%", side: 1, size: 44, grid: { show: false }, values: (_, splits) => splits.map((split) => `${split} %`) }] : []),
    ];
    return {
      width: this.element.clientWidth, height: HEIGHT, padding: [12, charges ? 4 : 22, 0, 0], scales, axes,
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      series: [{}, ...this.#columns.map((column) => series(column, colour, this.#axis.slots))],
      hooks: { setCursor: [({ cursor }) => this.#tell(cursor.idx)] },
    };
  }

  /** Shows the values of a row; of none, the sums. */
  #tell(place) {
    const row = this.#rows[place ?? -1];
    const text = this.#describe(row && !row.gap ? row : null);
    this.element.setAttribute("aria-valuemin", "0");
    this.element.setAttribute("aria-valuemax", String(Math.max(this.#rows.length - 1, 0)));
    this.element.setAttribute("aria-valuenow", String(place ?? 0));
    this.element.setAttribute("aria-valuetext", row?.gap ? "no data" : text);
  }

  #move(event) {
    const last = this.#rows.length - 1;
    const at = this.#chart.cursor.idx;
    const targets = { ArrowRight: (at ?? -1) + 1, ArrowUp: (at ?? -1) + 1, ArrowLeft: (at ?? last + 1) - 1, ArrowDown: (at ?? last + 1) - 1, Home: 0, End: last };
    if (!(event.key in targets)) return;
    event.preventDefault();
    const place = Math.min(Math.max(targets[event.key], 0), last);
    this.#chart.setCursor({ left: this.#chart.valToPos(this.#chart.data[0][place], "x"), top: HEIGHT / 3 });
  }
}

/** The intervals in their order, with an empty row in each gap, so that no line bridges it. */
function withGaps(intervals) {
  const rows = [];
  for (const interval of intervals) {
    const before = rows.at(-1);
    if (before && Date.parse(interval.start) > Date.parse(before.end)) rows.push({ gap: Date.parse(before.end) / 1000 });
    rows.push(interval);
  }
  return rows;
}

/** From 0, or below it where something is drawn downwards, with some room; a plot of nothing but zeros is as high as 1. */
function verticalRange(_, low, high) {
  return [Math.min(low, 0) * 1.1, high > 0 || low < 0 ? Math.max(high, 0) * 1.1 : 1];
}

function signed(column, row) {
  const value = column.value(row);
  return value === null ? null : value * (column.below ? -1 : 1);
}

function series(column, colour, slots) {
  const stroke = colour(column.colour);
  if (column.unit === "%") return { scale: "%", stroke, width: 2, points: { show: false } };
  const widest = Math.max(Math.floor(1200 / slots), 2);
  return { scale: "y", stroke, fill: stroke, width: 0, points: { show: false }, paths: window.uPlot.paths.bars({ size: [slots > 60 ? 1 : GAP, widest], radius: slots > 60 ? 0 : 0.15 }) };
}
