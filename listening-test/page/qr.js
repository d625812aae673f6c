// QR codes (ISO/IEC 18004:2015): text as bytes, error correction level L, the smallest version
// that holds it, and of the eight masks the one with the fewest penalties.
"use strict";
(() => {
  const { trompe } = window;

  // by version from 1 (table 9, level L): check bytes of a block, and number of blocks
  const CHECKS = [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
    28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30];
  const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
    8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25];

  const MASKS = [
    (x, y) => (x + y) % 2,
    (x, y) => y % 2,
    (x) => x % 3,
    (x, y) => (x + y) % 3,
    (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2,
    (x, y) => ((x * y) % 2) + ((x * y) % 3),
    (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2,
    (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
  ];

  const sizeOf = (version) => 17 + 4 * version;

  /** Centres of the alignment patterns along one side. */
  function alignments(version) {
    if (version === 1) return [];
    const count = Math.floor(version / 7) + 2;
    const step = version === 32 ? 26 : 2 * Math.ceil((2 * version + 2) / (count - 1));
    const last = sizeOf(version) - 7;
    return [6, ...Array.from({ length: count - 1 }, (_, n) => last - step * (count - 2 - n))];
  }

  /** Data and check bytes together: the modules that no pattern takes. */
  function room(version) {
    const size = sizeOf(version);
    const count = alignments(version).length;
    const aligned = count ? 25 * (count * count - 3) - 10 * (count - 2) : 0;
    const fixed = 3 * 64 + 2 * (size - 16) + aligned + 31 + (version >= 7 ? 36 : 0);
    return Math.floor((size * size - fixed) / 8);
  }

  const dataRoom = (version) => room(version) - CHECKS[version - 1] * BLOCKS[version - 1];
  const lengthBits = (version) => (version < 10 ? 8 : 16);

  /** Bytes of text that a version holds. */
  trompe.qrRoom = (version) => Math.floor(dataRoom(version) - (4 + lengthBits(version)) / 8);

  /** Product in the field of 256 elements, modulo x^8 + x^4 + x^3 + x^2 + 1. */
  function times(a, b) {
    let product = 0;
    for (let bit = 128; bit; bit >>= 1) {
      product = (product << 1) ^ (product & 128 ? 0x11d : 0) ^ (b & bit ? a : 0);
    }
    return product;
  }

  /** (x - 1)(x - 2)(x - 4) ... by falling powers, without the leading 1. */
  function generator(degree) {
    let polynomial = [1];
    let root = 1;
    for (let n = 0; n < degree; n += 1) {
      const shifted = [...polynomial, 0];
      polynomial.forEach((factor, place) => (shifted[place + 1] ^= times(factor, root)));
      polynomial = shifted;
      root = times(root, 2);
    }
    return polynomial.slice(1);
  }

  /** Reed-Solomon check bytes: the remainder of the division by the generator. */
  function checksOf(data, divisor) {
    const rest = Array(divisor.length).fill(0);
    for (const byte of data) {
      const factor = byte ^ rest.shift();
      rest.push(0);
      divisor.forEach((value, place) => (rest[place] ^= times(value, factor)));
    }
    return rest;
  }

  /** Mode, length, bytes, end and padding. */
  function dataOf(bytes, version) {
    const bits = [];
    const put = (value, count) => {
      for (let bit = count - 1; bit >= 0; bit -= 1) bits.push((value >> bit) & 1);
    };
    put(4, 4);
    put(bytes.length, lengthBits(version));
    for (const byte of bytes) put(byte, 8);
    put(0, 4);
    const data = [];
    for (let at = 0; at < bits.length; at += 8) data.push(parseInt(bits.slice(at, at + 8).join(""), 2));
    for (let pad = 0xec; data.length < dataRoom(version); pad ^= 0xec ^ 0x11) data.push(pad);
    return data;
  }

  /** Blocks with their checks, interleaved; the last blocks are one byte longer. */
  function codewords(bytes, version) {
    const data = dataOf(bytes, version);
    const count = BLOCKS[version - 1];
    const divisor = generator(CHECKS[version - 1]);
    const short = Math.floor(data.length / count);
    const longer = data.length % count;
    const blocks = [];
    for (let n = 0, at = 0; n < count; n += 1) {
      const length = short + (n >= count - longer ? 1 : 0);
      blocks.push(data.slice(at, at + length));
      at += length;
    }
    const checks = blocks.map((block) => checksOf(block, divisor));
    const woven = (lists) => Array.from({ length: Math.max(...lists.map((list) => list.length)) },
      (_, place) => lists.map((list) => list[place]).filter((byte) => byte !== undefined)).flat();
    return [...woven(blocks), ...woven(checks)];
  }

  /** `value` followed by the remainder of its division by `divisor` (BCH), `bits` long. */
  function guarded(value, divisor, bits) {
    let rest = value << bits;
    for (let top = 31 - Math.clz32(rest); top >= bits; top = 31 - Math.clz32(rest)) {
      rest ^= divisor << (top - bits);
    }
    return (value << bits) | rest;
  }

  /** Modules by row, and which of them are patterns. */
  function blank(version) {
    const size = sizeOf(version);
    const grid = Array.from({ length: size }, () => Array(size).fill(false));
    const fixed = Array.from({ length: size }, () => Array(size).fill(false));
    const put = (x, y, on) => {
      if (x < 0 || y < 0 || x >= size || y >= size) return;
      grid[y][x] = Boolean(on);
      fixed[y][x] = true;
    };
    const rings = (x, y, reach, light) => {
      for (let dy = -reach; dy <= reach; dy += 1) {
        for (let dx = -reach; dx <= reach; dx += 1) {
          put(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
        }
      }
    };
    for (let n = 0; n < size; n += 1) {
      put(6, n, n % 2 === 0);
      put(n, 6, n % 2 === 0);
    }
    const places = alignments(version);
    const corner = size - 7;
    for (const y of places) {
      for (const x of places) {
        const taken = (x === 6 && (y === 6 || y === corner)) || (x === corner && y === 6);
        if (!taken) rings(x, y, 2, [1]);
      }
    }
    for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) rings(x, y, 4, [2, 4]);
    if (version >= 7) {
      const bits = guarded(version, 0x1f25, 12);
      for (let n = 0; n < 18; n += 1) {
        const [along, across] = [size - 11 + (n % 3), Math.floor(n / 3)];
        put(along, across, (bits >> n) & 1);
        put(across, along, (bits >> n) & 1);
      }
    }
    return { size, grid, fixed, put };
  }

  /** Level and mask, twice, and the module that is always dark. */
  function format({ size, put }, mask) {
    const bits = guarded((1 << 3) | mask, 0x537, 10) ^ 0x5412; // level L is 01
    for (let n = 0; n < 15; n += 1) {
      const on = (bits >> n) & 1;
      if (n < 8) {
        put(8, n + (n > 5 ? 1 : 0), on);
        put(size - 1 - n, 8, on);
      } else {
        put(n === 8 ? 7 : 14 - n, 8, on);
        put(8, size - 15 + n, on);
      }
    }
    put(8, size - 8, true);
  }

  /** Fills in the data, two columns at a time, up and down, from the right. */
  function fill({ size, grid, fixed }, bytes) {
    let bit = 0;
    let up = true;
    for (let right = size - 1; right > 0; right -= 2) {
      if (right === 6) right = 5; // the upright timing pattern
      for (let n = 0; n < size; n += 1) {
        const y = up ? size - 1 - n : n;
        for (const x of [right, right - 1]) {
          if (fixed[y][x]) continue;
          grid[y][x] = Boolean((bytes[bit >> 3] >> (7 - (bit & 7))) & 1);
          bit += 1;
        }
      }
      up = !up;
    }
  }

  function penalty(grid) {
    const size = grid.length;
    const rows = grid.map((row) => row.map(Number).join(""));
    const columns = rows.map((_, x) => rows.map((row) => row[x]).join(""));
    let sum = 0;
    for (const line of [...rows, ...columns]) {
      for (const run of line.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
      sum += 40 * (line.match(/(?=10111010000|00001011101)/g) ?? []).length;
    }
    let dark = 0;
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        dark += Number(grid[y][x]);
        const alike = (dx, dy) => grid[y + dy]?.[x + dx] === grid[y][x];
        if (alike(1, 0) && alike(0, 1) && alike(1, 1)) sum += 3;
      }
    }
    return sum + 10 * Math.floor(Math.abs(20 * dark / (size * size) - 10));
  }

  /** The code of a text: rows of modules, `true` is dark; `null` if no version holds it. */
  trompe.qr = (text) => {
    const bytes = new TextEncoder().encode(text);
    const version = BLOCKS.findIndex((_, place) => bytes.length <= trompe.qrRoom(place + 1)) + 1;
    if (!version) return null;
    const words = codewords(bytes, version);
    const masked = MASKS.map((mask, number) => {
      const code = blank(version);
      format(code, number);
      fill(code, words);
      const { grid, fixed } = code;
      return grid.map((row, y) => row.map((on, x) => (fixed[y][x] ? on : on !== (mask(x, y) === 0))));
    });
    const penalties = masked.map(penalty);
    return masked[penalties.indexOf(Math.min(...penalties))];
  };
})();
