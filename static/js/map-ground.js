/* The drawing beneath: zones and streets from our own data, so that the map is never grey. */
(function () {
  "use strict";

  const Curblight = (window.Curblight = window.Curblight || {});
  const NAMES_FROM_ZOOM = 16;

  /* Turn the layer's degrees into parts of the world, once. */
  Curblight.readGround = (layer) => ({
    zones: layer.zones.map((zone) => ({ ...zone, rings: zone.polygons.flat().map(toWorld) })),
    streets: layer.streets.map((street) => ({ ...street, paths: street.lines.map(toWorld) })),
  });

  Curblight.paintStreets = (ground) => (context, view) => {
    const colour = Curblight.colour;
    context.lineCap = context.lineJoin = "round";
    const width = (street) => Math.max(1.5, street.width / view.metresPerPixel);
    context.strokeStyle = colour("map-street-edge");
    for (const street of ground.streets) {
      context.lineWidth = width(street) + 2;
      street.paths.forEach((path) => stroke(context, view, path));
    }
    context.strokeStyle = colour("map-street");
    for (const street of ground.streets) {
      context.lineWidth = width(street);
      street.paths.forEach((path) => stroke(context, view, path));
    }
    if (view.zoom >= NAMES_FROM_ZOOM) {
      nameStreets(context, view, ground.streets);
    }
  };

  Curblight.paintZones = (ground, isOpen) => (context, view) => {
    context.lineJoin = "round";
    for (const zone of ground.zones) {
      context.strokeStyle = Curblight.colour(isOpen(zone.id) ? "map-zone" : "map-closed");
      context.fillStyle = context.strokeStyle;
      context.setLineDash(isOpen(zone.id) ? [] : [6, 5]);
      context.lineWidth = 1.5;
      context.beginPath();
      zone.rings.forEach((ring) => trace(context, view, ring));
      context.globalAlpha = view.zoom < 16 ? 0.1 : 0.04;
      context.fill("evenodd");
      context.globalAlpha = 0.7;
      context.stroke();
      context.globalAlpha = 1;
    }
    context.setLineDash([]);
  };

  function toWorld(line) {
    const points = new Float64Array(2 * line.length);
    line.forEach(([longitude, latitude], index) => {
      points[2 * index] = Curblight.worldX(longitude);
      points[2 * index + 1] = Curblight.worldY(latitude);
    });
    return points;
  }

  function trace(context, view, points) {
    for (let index = 0; index < points.length; index += 2) {
      const x = view.x(points[index]);
      const y = view.y(points[index + 1]);
      if (index) {
        context.lineTo(x, y);
      } else {
        context.moveTo(x, y);
      }
    }
  }

  function stroke(context, view, points) {
    context.beginPath();
    trace(context, view, points);
    context.stroke();
  }

  /* Write each name along the longest straight piece of its street that is in view. */
  function nameStreets(context, view, streets) {
    context.font = `600 12px ${Curblight.colour("font")}`;
    context.fillStyle = Curblight.colour("map-name");
    context.strokeStyle = Curblight.colour("map-street");
    context.lineWidth = 3;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const street of streets) {
      const piece = longestPiece(view, street.paths);
      if (!piece || piece.length < context.measureText(street.name).width + 12) {
        continue;
      }
      context.save();
      context.translate(piece.x, piece.y);
      context.rotate(piece.angle);
      context.strokeText(street.name, 0, 0);
      context.fillText(street.name, 0, 0);
      context.restore();
    }
  }

  function longestPiece(view, paths) {
    let best = null;
    for (const points of paths) {
      for (let index = 0; index + 3 < points.length; index += 2) {
        const piece = clip(
          view,
          view.x(points[index]),
          view.y(points[index + 1]),
          view.x(points[index + 2]),
          view.y(points[index + 3]),
        );
        if (piece && (!best || piece.length > best.length)) {
          best = piece;
        }
      }
    }
    return best;
  }

  /* The part of a straight piece inside the canvas (Liang and Barsky), with its middle. */
  function clip(view, x1, y1, x2, y2) {
    const dx = x2 - x1;
    const dy = y2 - y1;
    let from = 0;
    let to = 1;
    for (const [p, q] of [
      [-dx, x1],
      [dx, view.width - x1],
      [-dy, y1],
      [dy, view.height - y1],
    ]) {
      if (p === 0) {
        if (q < 0) {
          return null;
        }
      } else if (p < 0) {
        from = Math.max(from, q / p);
      } else {
        to = Math.min(to, q / p);
      }
    }
    if (from >= to) {
      return null;
    }
    let angle = Math.atan2(dy, dx);
    if (angle > Math.PI / 2 || angle <= -Math.PI / 2) {
      angle += angle > 0 ? -Math.PI : Math.PI;
    }
    const middle = (from + to) / 2;
    return {
      x: x1 + dx * middle,
      y: y1 + dy * middle,
      angle,
      length: Math.hypot(dx, dy) * (to - from),
    };
  }
})();
