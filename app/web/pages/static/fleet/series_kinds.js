// The plots of a site: which series of the API each reads, and the columns that it shows.
import { quantity, wallClock } from "./format.js";

const HOUR = 3_600_000;

/** The mean power of an interval, from its energy. */
function power(energy) {
  return ({ start, end, ...interval }) => (interval[energy] === undefined ? null : (interval[energy] * HOUR) / (Date.parse(end) - Date.parse(start)));
}

const energy = (member) => (interval) => interval[member] ?? null;
const CHARGE = { name: "charging", colour: "--charge", below: true };
const DISCHARGE = { name: "discharging", colour: "--discharge" };

/** Columns: `name`, `unit`, `colour`, `value` of an interval or null; `below`: drawn downwards. `sum`: the member that is summed. */
export const KINDS = {
  power: {
    title: "Solar power", path: "solar-intervals", units: ["day"], sums: [["kwh", "produced"]],
    columns: [{ name: "power", unit: "kW", colour: "--solar", value: power("kwh") }],
  },
  energy: {
    title: "Solar energy", path: "solar-intervals", units: ["month", "year"], sums: [["kwh", "produced"]],
    columns: [{ name: "energy", unit: "kWh", colour: "--solar", value: energy("kwh") }],
  },
  flows: {
    title: "Battery", path: "battery-intervals", units: ["day", "month", "year"], sums: [["chargeKwh", "charged"], ["dischargeKwh", "discharged"]],
    columns: (unit) => (unit === "day"
      ? [
        { ...CHARGE, unit: "kW", value: power("chargeKwh") },
        { ...DISCHARGE, unit: "kW", value: power("dischargeKwh") },
        { name: "state of charge", unit: "%", colour: "--soc", value: energy("stateOfChargePercent") },
      ]
      : [{ ...CHARGE, unit: "kWh", value: energy("chargeKwh") }, { ...DISCHARGE, unit: "kWh", value: energy("dischargeKwh") }]),
  },
};

/** The columns of a plot for a period; those without any value are left out, as many vendors report no charge. */
export function columnsOf(kind, unit, intervals) {
  const columns = typeof kind.columns === "function" ? kind.columns(unit) : kind.columns;
  return columns.filter((column) => column.unit !== "%" || intervals.some((interval) => column.value(interval) !== null));
}

/** The values of an interval in words; without an interval, the sums of the period. */
export function describe(kind, columns, intervals, interval) {
  if (intervals.length === 0) return "";
  if (!interval) {
    return kind.sums.map(([member, verb]) => `${quantity(total(intervals, member), "kWh")} ${verb}`).join(", ");
  }
  const values = columns.map((column) => `${column.name} ${quantity(column.value(interval), column.unit, column.unit === "%" ? 0 : 2)}`);
  const quality = interval.quality === "measured" ? "" : `, ${interval.quality}`;
  return `${span(interval)}: ${values.join(", ")}${quality}`;
}

function total(intervals, member) {
  return intervals.reduce((sum, interval) => sum + (interval[member] ?? 0), 0);
}

/** "14:15 to 14:30", or the date of a longer interval. */
export function span({ start, end }) {
  const hours = (Date.parse(end) - Date.parse(start)) / HOUR;
  if (hours < 20) return `${start.slice(11, 16)} to ${end.slice(11, 16)}`;
  return hours < 26 ? wallClock(start).slice(0, 10) : wallClock(start).slice(0, 7);
}
