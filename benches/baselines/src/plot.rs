//! Cost against number of users, as a picture: both axes logarithmic, every line named at its end.

use crate::engines::{NAMES, OURS};
use crate::report::mixed_time;
use crate::run::Outcome;
use core::fmt::Write;

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 600.0;
/// The positions of the axes: left, right, top, bottom.
const LEFT: f64 = 84.0;
const RIGHT: f64 = 712.0;
const TOP: f64 = 104.0;
const BOTTOM: f64 = 536.0;
/// Names nearer to each other than this would overlap.
const LINE_HEIGHT: f64 = 19.0;

/// One colour for each engine, and one for the floor.
const COLOURS: [&str; 8] = ["#1d4ed8", "#b91c1c", "#c2700a", "#0f766e", "#7e22ce", "#be3b8a", "#64748b", "#94a3b8"];

const STYLE: &str = "\
text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; font-size: 13px; \
fill: #475569 }
.title { font-size: 19px; font-weight: 600; fill: #0f172a }
.ours { font-weight: 700 }
.grid { stroke: #e2e8f0; stroke-width: 1 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
";

/// A line of the plot: points of (users, nanoseconds).
struct Line {
    name: String,
    colour: &'static str,
    points: Vec<(f64, f64)>,
    is_ours: bool,
    is_floor: bool,
}

/// The range of an axis, and its position.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn place(&self, value: f64) -> f64 {
        let share = (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln());
        self.from + share * (self.to - self.from)
    }
}

fn lines(outcomes: &[Outcome]) -> Vec<Line> {
    let mut lines: Vec<Line> = (0..NAMES.len())
        .map(|engine| {
            let points = outcomes.iter().filter_map(|outcome| {
                let measurements = outcome.measurements.iter().find(|measurements| measurements.engine == engine)?;
                Some((f64::from(outcome.users), mixed_time(outcome, measurements)))
            });
            let (name, colour) = (NAMES[engine].to_owned(), COLOURS[engine]);
            Line { name, colour, points: points.collect(), is_ours: engine == OURS, is_floor: false }
        })
        .collect();
    let points = outcomes.iter().map(|outcome| (f64::from(outcome.users), outcome.floor)).collect();
    let (name, colour) = ("7 the floor: one cache line".to_owned(), COLOURS[NAMES.len()]);
    lines.push(Line { name, colour, points, is_ours: false, is_floor: true });
    // Ours last, so that nothing is drawn over it.
    lines.rotate_left(1);
    lines
}

pub fn draw(outcomes: &[Outcome]) -> String {
    let lines = lines(outcomes);
    let costs = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let users = |outcome: Option<&Outcome>| f64::from(outcome.map_or(1, |outcome| outcome.users));
    let across = Axis { low: users(outcomes.first()), high: users(outcomes.last()), from: LEFT + 16.0, to: RIGHT };
    let (least, most) = (costs().fold(f64::INFINITY, f64::min), costs().fold(1.0, f64::max));
    let up = Axis { low: least * 0.75, high: most * 1.25, from: BOTTOM, to: TOP };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Time for one operation against the number of users, for each engine\">\n\
         <style>{STYLE}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"14\" fill=\"#fcfcfb\"/>\n\
         <text class=\"title\" x=\"32\" y=\"44\">What an operation costs as users grow</text>\n\
         <text x=\"32\" y=\"68\">Time for one operation of the mixed trace, with the fades and ends in between. \
         Both axes are logarithmic; lower is better.</text>\n"
    );
    draw_grid(&mut svg, outcomes, &across, &up);
    for line in &lines {
        draw_line(&mut svg, line, &across, &up);
    }
    draw_names(&mut svg, &lines, &across, &up);
    svg + "</svg>\n"
}

/// Returns the times that get a rule: one, two and five of each power of ten.
fn rules(axis: &Axis) -> impl Iterator<Item = f64> {
    let (low, high) = (axis.low, axis.high);
    let all = (0..9).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(power)));
    all.filter(move |value| (low..high).contains(value))
}

fn draw_grid(svg: &mut String, outcomes: &[Outcome], across: &Axis, up: &Axis) {
    for time in rules(up) {
        let y = up.place(time);
        let name = crate::report::short_time(time);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>",
            LEFT - 10.0,
            y + 4.5
        );
    }
    for outcome in outcomes {
        let x = across.place(f64::from(outcome.users));
        let users = crate::report::whole(outcome.users.into());
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{users}</text>",
            BOTTOM + 22.0
        );
    }
    let middle = LEFT.midpoint(RIGHT);
    let _ = writeln!(svg, "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">users</text>", BOTTOM + 46.0);
}

fn draw_line(svg: &mut String, line: &Line, across: &Axis, up: &Axis) {
    let places = || line.points.iter().map(|&(users, cost)| (across.place(users), up.place(cost)));
    let points: Vec<String> = places().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let more = match (line.is_ours, line.is_floor) {
        (true, _) => " stroke-width=\"4\" style=\"stroke-width:4\"",
        (_, true) => " stroke-dasharray=\"2 6\"",
        _ => "",
    };
    let _ =
        writeln!(svg, "<polyline class=\"line\" stroke=\"{}\"{more} points=\"{}\"/>", line.colour, points.join(" "));
    let radius = if line.is_ours { 5.5 } else { 3.5 };
    for (x, y) in places() {
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{}\" stroke=\"#fcfcfb\" stroke-width=\"1.5\"/>",
            line.colour
        );
    }
}

/// Draws each name beside the end of its line; where ends crowd, the names move apart and a thin rule leads to them.
fn draw_names(svg: &mut String, lines: &[Line], across: &Axis, up: &Axis) {
    let mut names: Vec<(f64, f64, f64, &Line)> = lines
        .iter()
        .filter_map(|line| {
            let &(users, cost) = line.points.last()?;
            let (x, y) = (across.place(users), up.place(cost));
            Some((x, y, y, line))
        })
        .collect();
    names.sort_by(|one, other| one.1.total_cmp(&other.1));
    let reaches_the_end = |x: f64| x > RIGHT - 1.0;
    // Pushed apart a little at a time, so that they spread to both sides.
    for _ in 0..400 {
        for place in 1..names.len() {
            let (above, below) = (names[place - 1].2, names[place].2);
            let both = reaches_the_end(names[place - 1].0) && reaches_the_end(names[place].0);
            if both && below - above < LINE_HEIGHT {
                names[place - 1].2 -= 0.5;
                names[place].2 += 0.5;
            }
        }
    }
    for (x, y, beside, line) in names {
        // The name of a line that ends early stands above all that is there.
        let above = lines.iter().flat_map(|line| &line.points).filter(|point| (across.place(point.0) - x).abs() < 1.0);
        let top = above.map(|point| up.place(point.1)).fold(y, f64::min) - LINE_HEIGHT;
        let (turn, end, left, baseline, anchor) = if reaches_the_end(x) {
            (x + 7.0, (x + 22.0, beside), x + 27.0, beside + 4.5, "start")
        } else {
            (x, (x, top + 6.0), x, top, "middle")
        };
        let class = if line.is_ours { " class=\"ours\"" } else { "" };
        let _ = writeln!(
            svg,
            "<path d=\"M{turn:.1} {y:.1} L{:.1} {:.1}\" stroke=\"{colour}\" fill=\"none\" stroke-opacity=\"0.6\"/>\
             <text{class} x=\"{left:.1}\" y=\"{baseline:.1}\" text-anchor=\"{anchor}\" style=\"fill:{colour};\
             paint-order:stroke;stroke:#fcfcfb;stroke-width:4px\">{}</text>",
            end.0,
            end.1,
            line.name,
            colour = line.colour
        );
    }
}
