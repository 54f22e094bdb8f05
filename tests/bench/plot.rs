//! Pictures: lines over an axis, as SVG that looks the same wherever it is opened.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::numbers::Spread;

/// Readable on white, and distinct to people who do not see red and green.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 90, 181),
    RGBColor(220, 90, 20),
    RGBColor(20, 140, 100),
    RGBColor(150, 60, 150),
    RGBColor(110, 110, 110),
    RGBColor(180, 140, 0),
];
const SIZE: (u32, u32) = (900, 380);
const FONT: &str = "sans-serif";

/// One line.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// One system of axes.
pub struct Chart {
    pub title: String,
    pub x: String,
    pub y: String,
    pub lines: Vec<Line>,
    /// Powers rather than multiples along the x axis.
    pub logarithmic: bool,
    /// No number above it is written at the y axis.
    pub highest: f64,
}

/// All of them below each other.
pub fn draw(charts: &[Chart]) -> String {
    let mut text = String::new();
    {
        let area =
            SVGBackend::with_string(&mut text, (SIZE.0, SIZE.1 * charts.len() as u32)).into_drawing_area();
        area.fill(&WHITE).unwrap();
        for (chart, part) in charts.iter().zip(area.split_evenly((charts.len(), 1))) {
            draw_one(chart, &part);
        }
        area.present().unwrap();
    }
    text
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn draw_one(chart: &Chart, area: &Area<'_>) {
    let (from, to) = extent(chart.lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)));
    if chart.logarithmic {
        draw_over(chart, area, (from..to).log_scale());
    } else {
        draw_over(chart, area, from..to);
    }
}

fn draw_over<X>(chart: &Chart, area: &Area<'_>, x: X)
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    // the legend is above the lines
    let headroom = 1.2 + 0.08 * chart.lines.len() as f64;
    // what costs less than nothing, by the noise of the host, is to be seen as well
    let (bottom, top) = extent(chart.lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)));
    let mut axes = ChartBuilder::on(area)
        .caption(&chart.title, (FONT, 18))
        .margin(12)
        .margin_right(28)
        .x_label_area_size(46)
        .y_label_area_size(70)
        .build_cartesian_2d(x, bottom.min(0.0)..top.max(f64::MIN_POSITIVE) * headroom)
        .unwrap();
    axes.configure_mesh()
        .x_desc(&chart.x)
        .y_desc(&chart.y)
        .axis_desc_style((FONT, 14))
        .label_style((FONT, 13))
        .x_label_formatter(&|value| short(*value))
        .y_label_formatter(&|value| if *value <= chart.highest { short(*value) } else { String::new() })
        .light_line_style(WHITE)
        .draw()
        .unwrap();
    for (line, colour) in chart.lines.iter().zip(COLOURS.iter().cycle()) {
        let style = colour.stroke_width(2);
        axes.draw_series(LineSeries::new(line.points.iter().copied(), style))
            .unwrap()
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        // of few points each is a measurement that is to be seen
        if line.points.len() <= 20 {
            axes.draw_series(line.points.iter().map(|&point| Circle::new(point, 3, colour.filled())))
                .unwrap();
        }
    }
    axes.configure_series_labels()
        .position(if chart.logarithmic {
            SeriesLabelPosition::UpperLeft
        } else {
            SeriesLabelPosition::UpperRight
        })
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 13))
        .draw()
        .unwrap();
}

/// The lowest and the highest, never the same, and never none.
fn extent(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let low = numbers.clone().fold(f64::INFINITY, f64::min);
    let high = numbers.fold(f64::NEG_INFINITY, f64::max);
    match (low, high) {
        _ if !low.is_finite() => (1.0, 2.0),
        _ if low < high => (low, high),
        _ => (low, low + 1.0),
    }
}

/// `0.25`, `12.5`, `340`, `50k`.
fn short(number: f64) -> String {
    let text = match number.abs() {
        size if size >= 10_000.0 => return format!("{}k", short(number / 1000.0)),
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A group of bars beside each other: their names, and what they show.
pub struct Bar {
    pub name: String,
    pub values: Vec<(&'static str, Option<Spread>)>,
}

/// Bars with their lowest and highest as a whisker, along a logarithmic axis: what differs a hundredfold is to be seen beside each other.
pub fn bars(groups: &[Bar]) -> String {
    const LEAST: f64 = 0.01;
    let height = 110 + 56 * groups.len() as u32;
    let shown = groups.iter().flat_map(|group| group.values.iter().filter_map(|(_, spread)| *spread));
    let most = shown.map(|spread| spread.high).fold(1.0, f64::max) * 1.5;
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (SIZE.0, height)).into_drawing_area();
        area.fill(&WHITE).unwrap();
        let name = |place: &f64| {
            let is_middle = (place - place.round()).abs() < 0.01 && *place >= 0.0;
            let group = is_middle.then(|| groups.len().checked_sub(1 + place.round() as usize)).flatten();
            group.map_or(String::new(), |at| groups[at].name.clone())
        };
        let mut axes = ChartBuilder::on(&area)
            .caption(
                "What a kill() costs more under each tracer (logarithmic; below 0.01 µs nothing is drawn)",
                (FONT, 18),
            )
            .margin(12)
            .margin_right(28)
            .x_label_area_size(46)
            .y_label_area_size(250)
            .build_cartesian_2d((LEAST..most).log_scale(), -0.6..groups.len() as f64 - 0.4)
            .unwrap();
        axes.configure_mesh()
            .x_desc("added µs per kill: median, and the lowest and highest round")
            .axis_desc_style((FONT, 14))
            .label_style((FONT, 13))
            .x_label_formatter(&|value| short(*value))
            .y_labels(groups.len() * 2 + 1)
            .y_label_formatter(&name)
            .disable_y_mesh()
            .light_line_style(WHITE)
            .draw()
            .unwrap();
        let count = groups.iter().map(|group| group.values.len()).max().unwrap_or(0);
        for at in 0..count {
            let colour = COLOURS[at % COLOURS.len()];
            let mut drawn = Vec::new();
            for (row, group) in groups.iter().rev().enumerate() {
                let Some((_, Some(spread))) = group.values.get(at) else { continue };
                let middle = row as f64 + 0.18 - 0.36 * at as f64;
                let bar = [(LEAST, middle - 0.15), (spread.median.max(LEAST), middle + 0.15)];
                drawn.push(Rectangle::new(bar, colour.filled()));
                let whisker = [(spread.low.max(LEAST), middle), (spread.high.max(LEAST), middle)];
                axes.draw_series(LineSeries::new(whisker, BLACK.stroke_width(2))).unwrap();
            }
            let label = groups.first().map_or("", |group| group.values[at].0);
            axes.draw_series(drawn)
                .unwrap()
                .label(label)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 18, y + 5)], colour.filled()));
        }
        axes.configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.3))
            .label_font((FONT, 13))
            .draw()
            .unwrap();
        area.present().unwrap();
    }
    text
}
