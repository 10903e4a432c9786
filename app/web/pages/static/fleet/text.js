// Texts from strangers: names of sites, serial numbers, vendors' messages.

// Control characters, marks that change the direction of what follows, and invisible characters. The joiners of Persian
// and of emoji (U+200C, U+200D) stay.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+/g;
const LONGEST = 300;

/** The text without invisible characters. */
export function visible(text) {
  return String(text ?? "").replace(INVISIBLE, " ");
}

/** The text on one line, without invisible characters, and not endless. */
export function cleaned(text) {
  const line = visible(text).trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line;
}
