// Find the number whose SHA-256 behind the salt is the challenge's. In plain JavaScript, because crypto.subtle does not
// exist on a page without TLS.
(function () {
  "use strict";

  // Bits of the cube roots of the first 64 primes, and of the square roots of the first eight (FIPS 180-4).
  var ROUNDS = new Int32Array(64), START = new Int32Array(8), count = 0;
  for (var candidate = 2; count < 64; candidate++) {
    if (!isPrime(candidate)) continue;
    if (count < 8) START[count] = fraction(Math.sqrt(candidate));
    ROUNDS[count++] = fraction(Math.cbrt(candidate));
  }

  function isPrime(number) {
    for (var factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return false;
    return true;
  }

  function fraction(root) {
    return ((root - Math.floor(root)) * 4294967296) | 0;
  }

  function rotate(word, bits) {
    return (word >>> bits) | (word << (32 - bits));
  }

  // The padded text as words of 32 bits; it is ASCII.
  function blocksOf(text) {
    var words = new Int32Array((((text.length + 8) >> 6) + 1) * 16);
    for (var i = 0; i < text.length; i++) words[i >> 2] |= text.charCodeAt(i) << (24 - 8 * (i & 3));
    words[text.length >> 2] |= 0x80 << (24 - 8 * (text.length & 3));
    words[words.length - 1] = text.length * 8;
    return words;
  }

  var schedule = new Int32Array(64);

  function compress(hash, words, start) {
    var w = schedule, t, x, y, one, two;
    for (t = 0; t < 16; t++) w[t] = words[start + t];
    for (; t < 64; t++) {
      x = w[t - 15];
      y = w[t - 2];
      w[t] = (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) + (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10)) + w[t - 7] + w[t - 16];
    }
    var a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (t = 0; t < 64; t++) {
      one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[t] + w[t]) | 0;
      two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    hash[0] += a; hash[1] += b; hash[2] += c; hash[3] += d; hash[4] += e; hash[5] += f; hash[6] += g; hash[7] += h;
  }

  function sha256(text) {
    var hash = Int32Array.from(START), words = blocksOf(text);
    for (var start = 0; start < words.length; start += 16) compress(hash, words, start);
    return Array.from(hash, function (word) { return (word >>> 0).toString(16).padStart(8, "0"); }).join("");
  }

  self.onmessage = function (event) {
    var challenge = event.data;
    for (var number = 0; number <= challenge.maxNumber; number++) {
      if (sha256(challenge.salt + number) === challenge.challenge) {
        self.postMessage(number);
        return;
      }
    }
  };
})();
