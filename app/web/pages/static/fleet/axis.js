// The horizontal axis of a plot. Within a day it is real time, with the hours of the site's clock as labels: a day on
// which clocks change has 23 or 25 hours. Months and years have a slot for each interval.
import { wallMilliseconds } from "./periods.js";

const SECONDS = 1000;
const HOURS_BETWEEN_TICKS = 3;
const OFFSET = /([+-])(\d\d):(\d\d)(?::\d\d)?$/;

/** `x`: the place of an interval, its middle. `min`, `max`: the ends. `ticks`: the places with a label. */
export function axisOf(period, intervals) {
  return period.unit === "day" ? hours(period, intervals) : slots(period);
}

function hours(period, intervals) {
  const offsets = intervals.map(({ start }) => [Date.parse(start), offset(start)]);
  /** The instant at which the site's clock shows this hour of the day, after a change of the clock if there was one. */
  const instant = (hour) => {
    const wall = wallMilliseconds(period.first, hour);
    const [, last] = offsets.findLast(([start, shift]) => start <= wall - shift) ?? offsets[0] ?? [0, 0];
    return (wall - last) / SECONDS;
  };
  const ticks = [];
  for (let hour = 0; hour <= period.slots; hour += HOURS_BETWEEN_TICKS) ticks.push(instant(hour));
  const labels = new Map(ticks.map((tick, place) => [tick, `${String(place * HOURS_BETWEEN_TICKS % 24).padStart(2, "0")}:00`]));
  const seconds = (time) => Date.parse(time) / SECONDS;
  const step = Math.min(...intervals.map(({ start, end }) => seconds(end) - seconds(start)), 3600);
  const [min, max] = [ticks[0], ticks.at(-1)];
  return {
    x: ({ start, end }) => (seconds(start) + seconds(end)) / 2,
    min: Math.min(min, ...intervals.map(({ start }) => seconds(start))),
    max: Math.max(max, ...intervals.map(({ end }) => seconds(end))),
    ticks,
    label: (tick) => labels.get(tick),
    slots: (max - min) / step,
  };
}

function slots(period) {
  const every = period.unit === "month" ? 5 : 1;
  const ticks = Array.from({ length: period.slots }, (_, place) => place + 1).filter((slot) => slot % every === 0 || slot === 1);
  const part = period.unit === "month" ? [8, 10] : [5, 7];
  return {
    x: ({ start }) => Number(start.slice(...part)),
    min: 0.5,
    max: period.slots + 0.5,
    ticks,
    label: (tick) => period.slotName(tick),
    slots: period.slots,
  };
}

/** The offset of an ISO time in milliseconds. */
function offset(time) {
  const [, sign, hour, minute] = OFFSET.exec(time) ?? [null, "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hour) * 60 + Number(minute)) * 60 * SECONDS;
}
