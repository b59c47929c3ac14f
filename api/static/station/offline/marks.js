/**
 * Machine-readable marks as `stockpile/marks.py` reads them: the unique item identifier (UII) and the serial number in an
 * ISO/IEC 15434 envelope (formats 05, 06, 12), or a UII written out. A mark that does not give exactly one UII is refused.
 * `tests/browser/test_station_identity.py` holds the two together.
 */

const HEADER = "[)>";
const [RS, GS, EOT] = ["\x1e", "\x1d", "\x04"];
const LONGEST_UII = 50;
const LONGEST_MARK = 1000;
const UII_TEXT = /^[A-Z0-9/-]+$/;

/** MIL-STD-130 table V: what stands before an enterprise's code in a UII, and the code's form. */
const AGENCIES = [
  ["LD", "[A-Z0-9]{6}"], ["UN", "[0-9]{9}"], ["D", "[A-Z0-9]{5}"], ["", "[0-9]{6,12}"],
];
const ENTERPRISE = Object.fromEntries(AGENCIES.map(([code, form]) => [code, new RegExp(`^${form}$`)]));
const OTHER_AGENCIES = ["LB", "LH"];

/** The qualifiers of each format that make a UII (marks.py, FORMATS). */
const FORMATS = {
  "05": { enterprises: [], serialInEnterprise: [], products: [], serialInProduct: "", cageAndSerial: [], whole: ["8002", "8003", "8004"] },
  "06": {
    enterprises: [["17V", "D"], ["12V", "UN"], ["3V", ""], ["7L", "LD"], ["18V", null]],
    serialInEnterprise: [], products: ["1P", "1T"], serialInProduct: "S", cageAndSerial: ["18S"], whole: ["25S", "I", "22S"],
  },
  "12": {
    enterprises: [["CAG", "D"], ["MFR", "D"], ["SPL", "D"], ["DUN", "UN"], ["EUC", ""]],
    serialInEnterprise: ["SER", "UCN"], products: ["PNO", "LOT"], serialInProduct: "SEQ", cageAndSerial: [], whole: ["UID"],
  },
};
const CARRIES_AGENCY = ["25S", "UID"];
const FIXED_LENGTH = { "01": 14, 11: 6, 13: 6, 15: 6, 17: 6 };
const OTHER_IDENTIFIERS = ["10", "21", "240", "241", "250", "251", "8002", "8003", "8004"];

/** How keyboards, editors and manuals show the three separators. */
const STAND_INS = [
  [/[<{\[(]RS[>}\])]|\u241e|\\x1e|<0x1e>|\^\^/giu, RS],
  [/[<{\[(]GS[>}\])]|\u241d|\\x1d|<0x1d>|\^\]/giu, GS],
  [/[<{\[(]EOT[>}\])]|\u2404|\\x04|<0x04>|\^D/giu, EOT],
];

/** Why a mark is refused. */
export class UnreadableMark extends Error {}

/**
 * The mark in a scan, or null if it has not the form of one.
 * @param {string} text
 * @returns {{uii: string, serialNumber: string|null, format: string|null}|null}
 * @throws {UnreadableMark} an envelope that is damaged, lacks an element, or gives two UIIs
 */
export function readMark(text) {
  const scanned = text.replace(/^[ \t\r\n\ufeff]+|[ \t\r\n\ufeff]+$/g, "").replace(/^\][A-Za-z][0-9]/, "");
  return scanned.startsWith(HEADER) ? readEnvelope(scanned) : readPlain(scanned);
}

function readEnvelope(scanned) {
  if (Array.from(scanned).length > LONGEST_MARK) throw new UnreadableMark("longer than any mark");
  const marks = segments(scanned).flatMap(([format, elements]) => marksIn(format, elements));
  if (!marks.length) throw new UnreadableMark("no UII");
  if (new Set(marks.map((mark) => mark.uii)).size > 1) throw new UnreadableMark("more than one UII");
  return marks[0];
}

function segments(scanned) {
  for (const [pattern, separator] of STAND_INS) scanned = scanned.replace(pattern, separator);
  let body = scanned.toUpperCase().slice(HEADER.length);
  if (!body.includes(RS) && !body.includes(GS)) throw new UnreadableMark("the separators are missing");
  if (!body.startsWith(RS)) throw new UnreadableMark("no record separator after its beginning");
  if (body.endsWith(EOT)) body = body.slice(0, -1);
  if (body.endsWith(RS)) body = body.slice(0, -1);
  if (body.includes(EOT)) throw new UnreadableMark("it goes on after its end");
  return body.slice(1).split(RS).map((segment) => {
    const [named, ...parts] = segment.split(GS);
    const format = named === "DD" ? "12" : named;
    if (!Object.hasOwn(FORMATS, format)) throw new UnreadableMark("another format");
    const elements = parts.flatMap((part) => elementsOf(format, part));
    if (new Set(elements.map(([qualifier]) => qualifier)).size < elements.length) throw new UnreadableMark("an identifier twice");
    return [format, elements];
  });
}

function elementsOf(format, part) {
  if (/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(part)) throw new UnreadableMark("a character that nobody can print");
  if (format === "05") return gs1Elements(part);
  const match = (format === "06" ? /^([0-9]{0,3}[A-Z])([^\n]+)$/u : /^([A-Z]{3}) ?([^\n]+)$/u).exec(part);
  if (match === null) throw new UnreadableMark("an element without identifier or value");
  return [[match[1], match[2]]];
}

function gs1Elements(part) {
  const found = [];
  let rest = part;
  for (;;) {
    const identifier = ["01", "11", "13", "15", "17"].find((one) => rest.startsWith(one) && rest.length >= one.length + FIXED_LENGTH[one]);
    if (identifier === undefined) break;
    const end = identifier.length + FIXED_LENGTH[identifier];
    found.push([identifier, rest.slice(identifier.length, end)]);
    rest = rest.slice(end);
    if (!rest) return found;
  }
  const identifier = OTHER_IDENTIFIERS.find((one) => rest.startsWith(one) && rest.length > one.length);
  if (identifier === undefined) throw new UnreadableMark("no known GS1 identifier");
  return [...found, [identifier, rest.slice(identifier.length)]];
}

function marksIn(format, elements) {
  const rules = FORMATS[format];
  const values = new Map(elements);
  const found = [...whole(rules, values), ...inEnterprise(rules, values), ...inProduct(rules, values)];
  for (const mark of found) {
    if (!UII_TEXT.test(mark.uii) || mark.uii.length > LONGEST_UII) throw new UnreadableMark("no UII has such characters or length");
  }
  return found.map((mark) => ({ ...mark, format }));
}

function* whole(rules, values) {
  for (const qualifier of [...rules.whole, ...rules.cageAndSerial]) {
    if (!values.has(qualifier)) continue;
    const value = values.get(qualifier);
    if (qualifier === "8003") yield returnableAsset(value);
    else if (rules.cageAndSerial.includes(qualifier)) yield cageAndSerial(value);
    else if (CARRIES_AGENCY.includes(qualifier)) {
      if (!beginsWithEnterprise(value)) throw new UnreadableMark("no agency code and enterprise");
      yield { uii: value, serialNumber: null };
    } else yield { uii: value, serialNumber: null };
  }
}

function returnableAsset(value) {
  const [kind, serialNumber] = [value.slice(0, 14), value.slice(14)];
  if (!/^[0-9]{14}$/.test(kind) || !goodEan(kind)) throw new UnreadableMark("a wrong check digit");
  if (!serialNumber) throw new UnreadableMark("it names a kind of item");
  return { uii: value, serialNumber };
}

function goodEan(digits) {
  const sum = Array.from(digits).reverse().reduce((total, digit, place) => total + Number(digit) * (place % 2 ? 3 : 1), 0);
  return sum % 10 === 0;
}

function cageAndSerial(value) {
  const [enterprise, serialNumber] = [value.slice(0, 5), value.slice(5)];
  if (!serialNumber || !ENTERPRISE.D.test(enterprise)) throw new UnreadableMark("no CAGE code and serial");
  return { uii: "D" + value, serialNumber };
}

/** What each enterprise that the mark names begins its UII with. */
function* enterprises(rules, values) {
  for (const [qualifier, code] of rules.enterprises) {
    if (!values.has(qualifier)) continue;
    const value = values.get(qualifier);
    if (code === null) yield value;
    else if (ENTERPRISE[code].test(value)) yield code + value;
    else throw new UnreadableMark("no such enterprise");
  }
}

function* inEnterprise(rules, values) {
  for (const written of enterprises(rules, values)) {
    for (const qualifier of rules.serialInEnterprise) {
      if (values.has(qualifier)) yield { uii: written + values.get(qualifier), serialNumber: values.get(qualifier) };
    }
  }
}

function* inProduct(rules, values) {
  if (!values.has(rules.serialInProduct)) return;
  const serialNumber = values.get(rules.serialInProduct);
  for (const written of enterprises(rules, values)) {
    for (const qualifier of rules.products) {
      if (values.has(qualifier)) yield { uii: written + values.get(qualifier) + serialNumber, serialNumber };
    }
  }
}

/** Whether a written-out UII begins with an agency's code and an enterprise of its form, and goes on. */
function beginsWithEnterprise(uii) {
  for (const [code, form] of AGENCIES) {
    if (code === "") {
      if (/^[0-9]{6}/.test(uii) && uii.length > 6) return true;
    } else if (uii.startsWith(code)) {
      const match = new RegExp(`^${form}`).exec(uii.slice(code.length));
      if (match !== null && code.length + match[0].length < uii.length) return true;
    }
  }
  return OTHER_AGENCIES.some((code) => uii.startsWith(code)) && uii.length > 3;
}

function readPlain(scanned) {
  const uii = scanned.toUpperCase();
  if (uii.length > LONGEST_UII || !UII_TEXT.test(uii) || !beginsWithEnterprise(uii)) return null;
  return { uii, serialNumber: null, format: null };
}
