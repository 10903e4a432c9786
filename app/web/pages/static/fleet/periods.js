// Days, months and years on a site's clock, as dates without a time zone.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 86_400_000;

/** The date on a clock with this offset, as [year, month from 0, day]. */
export function today(offsetHours, now = Date.now()) {
  return parts(now + 3_600_000 * offsetHours);
}

/** A day, month or year. `level`: the length of the intervals in it. */
export class Period {
  constructor(unit, date) {
    const [year, month, day] = date;
    this.unit = unit;
    this.first = parts(Date.UTC(year, unit === "year" ? 0 : month, unit === "day" ? day : 1));
  }

  get level() {
    return { day: "15mins", month: "day", year: "month" }[this.unit];
  }

  get start() {
    return iso(this.first);
  }

  /** The first date after the period. */
  get end() {
    return iso(this.moved(1).first);
  }

  get label() {
    const [year, month, day] = this.first;
    return { day: `${day} ${MONTHS[month]} ${year}`, month: `${MONTHS[month]} ${year}`, year: `${year}` }[this.unit];
  }

  /** The period that many periods later. */
  moved(by) {
    const [year, month, day] = this.first;
    const step = (unit) => (this.unit === unit ? by : 0);
    return new Period(this.unit, parts(Date.UTC(year + step("year"), month + step("month"), day + step("day"))));
  }

  /** How many days a month, or months a year, or hours a day without a change of the clock has. */
  get slots() {
    const [year, month] = this.first;
    return { day: 24, month: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(), year: 12 }[this.unit];
  }

  /** The name of a slot of a month or a year, counted from 1. */
  slotName(slot) {
    return this.unit === "year" ? MONTHS[slot - 1] : `${slot}`;
  }
}

/** The number of milliseconds since 1970 on a clock without time zone. */
export function wallMilliseconds([year, month, day], hour = 0) {
  return Date.UTC(year, month, day, hour);
}

/** Whether the period has begun on that date. */
export function hasBegun(period, date) {
  return wallMilliseconds(period.first) < wallMilliseconds(date) + DAY;
}

function parts(milliseconds) {
  const at = new Date(milliseconds);
  return [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
}

function iso([year, month, day]) {
  return `${String(year).padStart(4, "0")}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}
