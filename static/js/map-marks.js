/* How a spot is drawn: one shape for each state, so that colour is never the only sign. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const SIGN_PX = 17;
  const WHEELCHAIR = new Path2D(
    "M10.5 8v6h5.5l2.5 5.5M10.5 10.5H15M7.6 12.2a5 5 0 1 0 6.8 6.3M12 4a1.5 1.5 0 1 1-3 0a1.5 1.5 0 1 1 3 0",
  );

  Curblight.SIGN_PX = SIGN_PX;

  /* Each mark drawn once: thousands of them are then copied in a few milliseconds. */
  Curblight.sprites = (radius, ratio, colours) => {
    const marks = {};
    for (const state of ["free", "busy", "closed"]) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = Math.ceil(2 * (radius + 2) * ratio);
      const context = canvas.getContext("2d");
      context.setTransform(ratio, 0, 0, ratio, canvas.width / 2, canvas.height / 2);
      mark(context, 0, 0, radius, state, colours);
      marks[state] = canvas;
    }
    return marks;
  };

  /* Free: a disc with a tick. Taken: a square with a cross. Not sold: an open, broken ring. */
  function mark(context, x, y, radius, state, colours) {
    const isLarge = radius >= 5;
    context.beginPath();
    if (state === "free") {
      context.fillStyle = colours.free;
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
      if (isLarge) {
        const part = radius * 0.42;
        context.beginPath();
        context.moveTo(x - part, y + part * 0.1);
        context.lineTo(x - part * 0.2, y + part * 0.8);
        context.lineTo(x + part, y - part * 0.7);
        line(context, colours.inner, radius * 0.24);
      }
    } else if (state === "busy") {
      const half = radius * 0.88;
      if (isLarge) {
        context.fillStyle = colours.busy;
        context.rect(x - half, y - half, 2 * half, 2 * half);
        context.fill();
      }
      const part = isLarge ? radius * 0.4 : half;
      context.beginPath();
      context.moveTo(x - part, y - part);
      context.lineTo(x + part, y + part);
      context.moveTo(x + part, y - part);
      context.lineTo(x - part, y + part);
      line(context, isLarge ? colours.inner : colours.busy, Math.max(1.4, radius * 0.24));
    } else {
      context.setLineDash([radius * 0.8, radius * 0.6]);
      context.arc(x, y, radius * 0.85, 0, 2 * Math.PI);
      line(context, colours.closed, Math.max(1.2, radius * 0.2));
      context.setLineDash([]);
    }
  }

  function line(context, colour, width) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }

  /* The wheelchair on a plate: full where the bay is free, outlined where it is not. */
  Curblight.sign = (context, x, y, state, colours) => {
    const half = SIGN_PX / 2;
    context.beginPath();
    context.roundRect(x - half, y - half, SIGN_PX, SIGN_PX, 3);
    context.fillStyle = state === "free" ? colours.sign : colours.inner;
    context.fill();
    line(context, colours.sign, 1.5);
    context.save();
    context.translate(x - half + 1.5, y - half + 1.5);
    context.scale((SIGN_PX - 3) / 24, (SIGN_PX - 3) / 24);
    context.strokeStyle = state === "free" ? colours.inner : colours.sign;
    context.lineWidth = 2.6;
    context.stroke(WHEELCHAIR);
    context.restore();
  };
})();
