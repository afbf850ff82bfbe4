// Draws the charts of a report and links them: what is brushed or chosen in one place is shown in all.
(() => {
  const { columns, charts } = JSON.parse(document.getElementById('report-data').textContent);
  const drawn = new Map();
  const tip = document.querySelector('.tip');

  /** The chart of an element that names one; names are unique within a part of the page. */
  function chartOf(element) {
    return charts[`${element.closest('.part').dataset.part}-${element.dataset.chart}`];
  }

  /** Rows of a data set from the columns it names. */
  function rowsOf(fields) {
    const names = Object.keys(fields);
    const length = names.length === 0 ? 0 : columns[fields[names[0]]].length;
    return Array.from({ length }, (_, row) =>
      Object.fromEntries(names.map((name) => [name, columns[fields[name]][row]])),
    );
  }

  function formatNumber(value) {
    if (typeof value !== 'number') return value === null || value === undefined ? '' : String(value);
    if (Number.isInteger(value) && Math.abs(value) < 1e8) return String(value);
    return String(Number(value.toPrecision(4)));
  }

  // What a place in a chart says when it is pointed at.

  function showTip(event, lines) {
    const list = document.createElement('div');
    for (const [name, value] of lines) {
      for (const text of [name, value]) list.appendChild(document.createElement('span')).textContent = text;
    }
    tip.replaceChildren(list);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, window.innerWidth - width - 8);
    const below = event.clientY + 14;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${below + height > window.innerHeight ? Math.max(8, event.clientY - height - 10) : below}px`;
  }

  function hideTip() {
    tip.hidden = true;
  }

  function tooltipOf(part) {
    return (_, event, __, value) => {
      if (value === null || value === undefined || value === '') hideTip();
      else if (typeof value === 'object' && 'id' in value && part.configurations) {
        showTip(event, part.describe(value.id));
      } else if (typeof value === 'object') {
        showTip(
          event,
          Object.entries(value)
            .filter(([, text]) => text !== null && text !== '')
            .map(([name, text]) => [name, formatNumber(text)]),
        );
      }
    };
  }

  // One part of the page is one result folder; its pictures share what is chosen.

  function createPart(element) {
    const data = element.querySelector('script.configurations');
    const configurations = data === null ? undefined : JSON.parse(data.textContent);
    const form = element.querySelector('form.filters');
    const body = element.querySelector('.chosen tbody');
    const caption = element.querySelector('.chosen caption');
    const before = { rows: body ? [...body.rows] : [], caption: caption?.textContent };
    const views = [];
    let brush;

    function describe(id) {
      const { factors, levels, codes, objectives, trials, membership } = configurations;
      return [
        ...factors.map((factor, index) => [factor, levels[index][codes[index][id]]]),
        ...objectives.map(({ name, values }) => [name, formatNumber(values[id])]),
        ['trials', String(trials[id])],
        ['on the front', membership[id]],
      ];
    }

    /** The ids that filters and brush leave, or null where they leave all. */
    function choose() {
      const filters = [...form.querySelectorAll('select')].filter(({ value }) => value !== '');
      if (filters.length === 0 && brush === undefined) return null;
      const inside = ({ values, range }, id) => values[id] >= Math.min(...range) && values[id] <= Math.max(...range);
      return configurations.front
        .map((_, id) => id)
        .filter((id) => filters.every(({ name, value }) => configurations.codes[name][id] === Number(value)))
        .filter((id) => brush === undefined || brush.ranges.every((range) => inside(range, id)));
    }

    function update() {
      const chosen = choose();
      const marks = chosen && Object.fromEntries(chosen.map((id) => [id, 1]));
      for (const { view } of views) view.signal('chosen', marks).run();
      showRows(chosen);
      const output = form.querySelector('output');
      output.textContent = chosen === null ? '' : `${chosen.length} of ${configurations.front.length} chosen`;
    }

    function showRows(chosen) {
      if (chosen === null) {
        body.replaceChildren(...before.rows);
        caption.textContent = before.caption;
        return;
      }
      const rows = chosen.slice(0, configurations.maxRows).map((id, index) => {
        const row = document.createElement('tr');
        row.dataset.id = id;
        row.tabIndex = index === 0 ? 0 : -1;
        for (const [position, [, text]] of describe(id).entries()) {
          const cell = row.insertCell();
          cell.textContent = text;
          const isNumber =
            position >= configurations.factors.length &&
            position <= configurations.factors.length + configurations.objectives.length;
          if (isNumber) cell.className = 'n';
        }
        return row;
      });
      body.replaceChildren(...rows);
      const rest = chosen.length - rows.length;
      caption.textContent = `Chosen configurations${rest > 0 ? `: the first ${rows.length} of ${chosen.length}` : ''}`;
    }

    function focus(id) {
      for (const { view } of views) view.signal('focus', id).run();
    }

    /** Takes over the brush of one picture and takes away that of any other. */
    function listen(view, chart) {
      let frame = 0;
      view.addSignalListener('brush', (_, value) => {
        cancelAnimationFrame(frame);
        frame = requestAnimationFrame(() => {
          const ranges = ['x', 'y'].flatMap((field) =>
            value[field] ? [{ range: value[field], values: columns[chart.data.points[field]] }] : [],
          );
          if (ranges.length === 0) {
            if (brush?.view !== view) return;
            brush = undefined;
          } else {
            const previous = brush?.view;
            brush = { view, ranges };
            if (previous !== undefined && previous !== view) clearBrush(previous);
          }
          update();
        });
      });
    }

    function clearBrush(view) {
      view.data('brush_store', []).run();
    }

    if (configurations !== undefined) {
      form.addEventListener('change', update);
      form.addEventListener('submit', (event) => event.preventDefault());
      form.addEventListener('reset', () => {
        const brushed = brush?.view;
        brush = undefined;
        if (brushed !== undefined) clearBrush(brushed);
        requestAnimationFrame(update);
      });
      for (const [id, row] of before.rows.entries()) {
        row.dataset.id = id;
        row.tabIndex = id === 0 ? 0 : -1;
      }
      const idOf = (event) => Number(event.target.closest('tr')?.dataset.id ?? -1);
      for (const name of ['focusin', 'mouseover']) body.addEventListener(name, (event) => focus(idOf(event)));
      for (const name of ['focusout', 'mouseleave']) body.addEventListener(name, () => focus(-1));
      body.addEventListener('keydown', (event) => {
        const row = event.target.closest('tr');
        const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
        if (!next) return;
        event.preventDefault();
        row.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      });
    }

    return {
      configurations,
      describe,
      add(view, chart) {
        const signals = view.getState({ signals: () => true, data: () => false }).signals;
        if (!('chosen' in signals)) return;
        views.push({ view });
        if ('brush' in signals) listen(view, chart);
        if (form.querySelector('output').textContent !== '') update();
      },
    };
  }

  const parts = new Map([...document.querySelectorAll('.part')].map((element) => [element, createPart(element)]));

  function draw(place) {
    if (drawn.has(place)) return;
    const chart = chartOf(place);
    const part = parts.get(place.closest('.part')) ?? {};
    const view = new vega.View(vega.parse(chart.spec, undefined, { ast: true }), {
      expr: vegaInterpreter,
      renderer: 'svg',
      container: place,
      tooltip: tooltipOf(part),
    });
    drawn.set(place, view);
    for (const [name, fields] of Object.entries(chart.data)) view.data(name, rowsOf(fields));
    view.run();
    part.add?.(view, chart);
  }

  const places = [...document.querySelectorAll('.chart')];
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: '800px' },
  );
  for (const place of places) observer.observe(place);

  // The figures of a picture, for those who cannot see it or want to copy them.
  const MAX_DATA_ROWS = 500;
  document.addEventListener(
    'toggle',
    ({ target }) => {
      if (!target.matches('details.data') || !target.open || target.children.length > 1) return;
      const table = document.createElement('table');
      const { data } = chartOf(target);
      for (const fields of Object.values(data)) {
        const names = Object.keys(fields);
        const rows = rowsOf(fields);
        const head = table.createTHead().insertRow();
        for (const name of names) head.appendChild(document.createElement('th')).textContent = name;
        const body = table.createTBody();
        for (const row of rows.slice(0, MAX_DATA_ROWS)) {
          const line = body.insertRow();
          for (const name of names) line.insertCell().textContent = formatNumber(row[name]);
        }
        if (rows.length > MAX_DATA_ROWS) {
          table.createCaption().textContent = `The first ${MAX_DATA_ROWS} of ${rows.length} rows`;
        }
      }
      const scroll = target.appendChild(document.createElement('div'));
      scroll.className = 'scroll';
      scroll.append(table);
    },
    true,
  );

  // On paper everything is there: pictures that were never scrolled to are drawn, and what is folded is opened.
  let opened = [];
  window.addEventListener('beforeprint', () => {
    for (const place of places) draw(place);
    opened = [...document.querySelectorAll('details:not([open]):not(.data)')];
    for (const details of opened) details.open = true;
  });
  window.addEventListener('afterprint', () => {
    for (const details of opened) details.open = false;
  });

  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') hideTip();
  });
  document.addEventListener('scroll', hideTip, { passive: true });
})();
