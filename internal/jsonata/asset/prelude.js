// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// The bridge between Go and the reference implementation: what Step Functions adds to JSONata and takes away, and the
// guards that keep one native step from eating all memory. Evaluates to a function that Go calls once per VM.
(function (jsonata, host) {
  'use strict';

  const cached = new Map();
  const maxCached = 200;
  const maxText = 4 << 20; // characters that one step may make

  function fail(code, message) {
    const e = new Error(message);
    e.code = code;
    throw e;
  }

  function integer(x, name) {
    if (!Number.isInteger(x)) fail('T0410', name + ' must be an integer');
    return x;
  }

  // A sequence of one is the value itself, as everywhere in JSONata.
  function unwrapped(items) {
    return items.length === 1 ? items[0] : items;
  }

  function partition(items, size) {
    if (items === undefined) return undefined;
    if (integer(size, 'the size of $partition') < 1) fail('D3137', 'the size of $partition must be positive');
    const chunks = [];
    for (let i = 0; i < items.length; i += size) chunks.push(items.slice(i, i + size));
    return chunks;
  }

  function range(first, last, step) {
    if (first === undefined || last === undefined) return undefined;
    if (step === undefined) step = 1;
    if (step === 0) fail('D3137', 'the step of $range must not be zero');
    if ((last - first) / step >= host.maxItems) fail('D2014', '$range would make more than ' + host.maxItems + ' items');
    const items = [];
    for (let i = 0, x = first; step > 0 ? x <= last : x >= last; i++, x = first + i * step) items.push(x);
    return unwrapped(items);
  }

  function parse(text) {
    if (text === undefined) return undefined;
    const v = JSON.parse(text);
    return v === 0 ? 0 : v;
  }

  function pad(text, width, char) {
    if (text === undefined) return undefined;
    if (char === undefined || char.length === 0) char = ' ';
    const missing = Math.abs(width) - Array.from(text).length;
    if (missing <= 0) return text;
    if (missing * char.length > maxText) fail('D3137', '$pad would make too long a text');
    const filler = Array.from(char.repeat(Math.ceil(missing / char.length))).slice(0, missing).join('');
    return width > 0 ? text + filler : filler + text;
  }

  function join(texts, separator) {
    if (texts === undefined) return undefined;
    if (separator === undefined) separator = '';
    let size = separator.length * texts.length;
    for (const t of texts) size += t.length;
    if (size > maxText) fail('D3137', '$join would make too long a text');
    return texts.join(separator);
  }

  function compile(text) {
    let e = cached.get(text);
    if (e === undefined) {
      e = jsonata(text);
      e.assign('eval', undefined);
      e.registerFunction('partition', partition, '<an:a>');
      e.registerFunction('range', range, '<nnn?:x>');
      e.registerFunction('hash', (s, a) => (s === undefined ? undefined : host.hash(s, a)), '<ss:s>');
      e.registerFunction('random', (seed) => host.random(seed), '<n?:n>');
      e.registerFunction('uuid', () => host.uuid(), '<:s>');
      e.registerFunction('parse', parse, '<s:x>');
      e.registerFunction('pad', pad, '<s-ns?:s>');
      e.registerFunction('join', join, '<a<s>s?:s>');
      if (cached.size >= maxCached) cached.clear();
      cached.set(text, e);
    }
    return e;
  }

  function isFunction(v) {
    return typeof v === 'function' || (v !== null && typeof v === 'object' && (v._jsonata_lambda === true || v._jsonata_function === true));
  }

  // stringify refuses what JSON cannot express, and gives up early where the text grows too long.
  function stringify(value) {
    let size = 0;
    return JSON.stringify(value, function (key, v) {
      if (isFunction(v)) fail('UNSUPPORTED', 'function');
      size += key.length + (typeof v === 'string' ? v.length : 4);
      if (size > maxText) fail('D3137', 'the result is too long');
      return v === 0 ? 0 : v;
    });
  }

  function describe(e) {
    if (e === null || typeof e !== 'object') return ['', String(e)];
    return [String(e.code || ''), String(e.message || e)];
  }

  return {
    check(text) {
      try {
        jsonata(text);
        return null;
      } catch (e) {
        return describe(e);
      }
    },
    evaluate(text, names, values, done, failed) {
      let pending;
      try {
        const bindings = {};
        for (let i = 0; i < names.length; i++) bindings[names[i]] = JSON.parse(values[i]);
        pending = compile(text).evaluate(undefined, bindings);
      } catch (e) {
        failed(...describe(e));
        return;
      }
      pending.then((v) => done(v === undefined ? undefined : stringify(v))).catch((e) => failed(...describe(e)));
    },
  };
})
