//! Any tiling gives the bits of one tile; what is hoisted, shared and fused is so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::Counter;
use crate::tests::{rows, sample, shown, tree, typed};
use crate::{Indices, Scope, check};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};
use base::{Column, DType, DimMask, Domain, Region, Tiling};
use proptest::prelude::*;
use std::sync::Arc;

fn floats(n: usize, f: impl Fn(usize) -> f64) -> ArrayRef {
    Arc::new((0..n).map(f).collect::<Float64Array>())
}

/// A grid with coordinates (the first two tables, the last a counter), a field over all
/// dimensions with missing values, one over the first and the last, and one number.
struct Grid {
    schema: Schema,
    given: Vec<Given>,
    columns: Vec<Column>,
}

fn grid(sizes: [usize; 3]) -> Grid {
    let [a, b, c] = sizes;
    let domain = Domain::new([("lat", a as u64), ("r", b as u64), ("lon", c as u64)]);
    let field = |name: &str, dtype, bits| Field::new(name, dtype, DimMask(bits));
    let mut fields = vec![
        field("lat", DType::Float64, 1),
        field("r", DType::Float64, 2),
        field("lon", DType::Int64, 4),
        field("v", DType::Float64, 7),
        field("w", DType::Float64, 5),
        field("c", DType::Float64, 0),
        field("s", DType::String, 4),
    ];
    fields[3].nullable = true;
    let v = (0..a * b * c).map(|i| (i % 7 != 3).then_some(i as f64 * 0.37 - 5.0));
    let v: ArrayRef = Arc::new(v.collect::<Float64Array>());
    let s: ArrayRef =
        Arc::new((0..c).map(|i| Some(format!("s{}", i % 5))).collect::<StringArray>());
    let column = |bits, array: ArrayRef| Column { mask: DimMask(bits), array };
    Grid {
        schema: Schema { domain, fields, ..Schema::default() },
        given: vec![
            Given::Table(floats(a, |i| i as f64 * 10.0 - 20.0)),
            Given::Table(floats(b, |i| 1.0 / (i as f64 + 1.0))),
            Given::Counter { start: 5, step: -2 },
            Given::Loaded,
            Given::Loaded,
            Given::Loaded,
            Given::Loaded,
        ],
        columns: vec![
            column(7, v),
            column(5, floats(a * c, |i| (i as f64).sqrt())),
            column(0, floats(1, |_| 0.25)),
            column(4, s),
        ],
    }
}

/// Rows: the index and the printed values of each.
type Rows = Vec<(i64, Vec<String>)>;

impl Grid {
    fn map(&self, list: &[(&str, &str)], schema: &Schema) -> Step {
        let _ = self;
        Step::Map(
            list.iter()
                .map(|(name, text)| {
                    let typed = typed(text, schema).unwrap_or_else(|d| panic!("{text}: {d:?}"));
                    (typed.field(*name), typed)
                })
                .collect(),
        )
    }

    /// The tile of a region, with those columns that the program needs.
    fn tile(&self, program: &Program, number: u64, region: &Region) -> Tile {
        let sizes: Vec<usize> = self.schema.domain.sizes().iter().map(|s| *s as usize).collect();
        let columns = program.needed().iter().map(|i| {
            let column = &self.columns[i - 3];
            let strides = layout::strides(column.mask, &sizes);
            let base = strides.iter().zip(&region.origin).map(|(s, o)| s * *o as usize).sum();
            let whole = data::Loaded::new(
                data::Data::of_array(&column.array, self.schema.fields[*i].dtype).unwrap(),
                base,
                strides,
                &region.shape,
            );
            let array =
                output::cut(&whole, column.mask, &region.shape, self.schema.fields[*i].dtype);
            Column { mask: column.mask, array }
        });
        Tile {
            number,
            origin: region.origin.clone(),
            shape: region.shape.clone(),
            columns: columns.collect(),
            index: None,
        }
    }

    /// All output rows as `tile` and as `blocks` give them, in the order of the domain.
    fn run(&self, steps: &[Step], shape: &[u64]) -> (Rows, Rows) {
        let program = Program::compile(&self.schema, self.given.clone(), steps, true).unwrap();
        let mut runner = program.runner();
        let tiling = Tiling::even(&self.schema.domain, shape);
        let (mut whole, mut blocks) = (Vec::new(), Vec::new());
        let count = program.output().fields.len();
        for number in 0..tiling.count() {
            let tile = self.tile(&program, number, &tiling.region(number));
            let out = program.tile(&mut runner, &tile).unwrap();
            out.to_batch(program.output()).unwrap();
            let index = out.indices(&self.schema.domain.sizes());
            let shown: Vec<_> =
                out.columns.iter().map(|c| shown(&out.expand(c).unwrap())).collect();
            for row in 0..out.points() {
                whole.push((index.value(row), shown.iter().map(|c| c[row].clone()).collect()));
            }
            program
                .blocks(&mut runner, &tile, &mut |block| {
                    let dtype = |i: usize| program.output().fields[i].dtype;
                    let columns: Vec<_> =
                        (0..count).map(|i| show_block(block, i, dtype(i))).collect();
                    for row in 0..block.len {
                        let index = match block.indices() {
                            Indices::From(first) => first + row as i64,
                            Indices::Each(list) => list[row],
                        };
                        blocks.push((index, columns.iter().map(|c| c[row].clone()).collect()));
                    }
                    Ok(())
                })
                .unwrap();
        }
        whole.sort();
        blocks.sort();
        (whole, blocks)
    }
}

fn show_block(block: &Block, column: usize, dtype: DType) -> Vec<String> {
    let validity = block.validity(column).map(<[bool]>::to_vec);
    if let crate::Values::String(array) = block.values(column) {
        let array = crate::kernels::Buffer::String(array.slice(0, block.len));
        return shown(&array.into_array(dtype, validity));
    }
    let mut buffer = crate::kernels::Buffer::new(dtype);
    buffer.append(block.values(column));
    let array = buffer.into_array(dtype, validity);
    assert_eq!(array.len(), block.len);
    shown(&array)
}

/// The schema after a map, for the steps that follow.
fn after(schema: &Schema, given: &[Given], steps: &[Step]) -> Schema {
    Program::compile(schema, given.to_vec(), steps, false).unwrap().output().clone()
}

fn chains(grid: &Grid) -> Vec<Vec<Step>> {
    let map = grid.map(
        &[
            ("x", "sin(lat) * cos(lon) + v"),
            ("y", "w * 2 + c"),
            ("z", "random(7) + r"),
            ("q", "sin(lat) / c"),
            ("u", "where(lon > 0, upper(s), s)"),
            ("k", "17"),
            ("lon", "lon"),
        ],
        &grid.schema,
    );
    let mid = after(&grid.schema, &grid.given, std::slice::from_ref(&map));
    let keep = Step::Filter(typed("z > 0.4 and (lat > 0 or isnull(x))", &mid).unwrap());
    let some = Step::Filter(typed("lat > -10", &mid).unwrap());
    let late = after(&grid.schema, &grid.given, &[map.clone(), keep.clone()]);
    let map2 = grid.map(
        &[("a", "x * z + sin(lat)"), ("k", "k + lon"), ("g", "random(7)"), ("h", "s == 's1'")],
        &late,
    );
    let last = after(&grid.schema, &grid.given, &[map.clone(), keep.clone(), map2.clone()]);
    let again = Step::Filter(typed("g < 0.9 and k > 0", &last).unwrap());
    let pick = Step::Project(vec![
        (last.position("a").unwrap(), Field::new("first", DType::Bool, DimMask::SCALAR)),
        (last.position("s").unwrap(), Field::new("s", DType::Bool, DimMask::SCALAR)),
        (last.position("w").unwrap(), Field::new("w", DType::Bool, DimMask::SCALAR)),
        (last.position("k").unwrap(), Field::new("k", DType::Bool, DimMask::SCALAR)),
    ]);
    vec![
        vec![],
        vec![map.clone()],
        vec![some],
        vec![map.clone(), keep.clone()],
        vec![map.clone(), keep.clone(), map2.clone(), again.clone()],
        vec![map, keep, map2, again, pick],
    ]
}

#[test]
fn blocks_of_large_tiles_agree_with_small_tiles() {
    let grid = grid([5, 30, 61]);
    for (i, steps) in chains(&grid).iter().enumerate() {
        let (one, one_blocks) = grid.run(steps, &[5, 30, 61]);
        assert!(!one.is_empty(), "chain {i} leaves nothing");
        assert!(one == one_blocks, "chain {i}: blocks differ from tiles");
        let (many, many_blocks) = grid.run(steps, &[2, 30, 40]);
        assert!(one == many && one == many_blocks, "chain {i}: tiles differ");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_tiling_gives_the_bits_of_one_tile(sizes in [1usize..6, 1usize..6, 1usize..9], shape in [1u64..6, 1u64..6, 1u64..9]) {
        let grid = grid(sizes);
        for steps in chains(&grid) {
            let (one, _) = grid.run(&steps, &sizes.map(|s| s as u64));
            let (many, blocks) = grid.run(&steps, &shape);
            prop_assert_eq!(&one, &many);
            prop_assert_eq!(&one, &blocks);
        }
    }
}

#[test]
fn values_are_those_of_the_formula() {
    let grid = grid([3, 4, 5]);
    let (one, _) =
        grid.run(&[grid.map(&[("x", "sin(lat) * cos(lon) + r * w")], &grid.schema)], &[2, 3, 2]);
    let x = grid.schema.fields.len();
    for (p, (index, row)) in one.iter().enumerate() {
        assert_eq!(p as i64, *index);
        let (i, j, k) = (p / 20, p / 5 % 4, p % 5);
        let lat = i as f64 * 10.0 - 20.0;
        let lon = 5.0 - 2.0 * k as f64;
        let expected = lat.sin() * lon.cos() + 1.0 / (j as f64 + 1.0) * ((i * 5 + k) as f64).sqrt();
        assert_eq!(row[x], check::weak::show(&base::Value::Float(expected)));
    }
}

fn mantle() -> (Schema, Vec<Given>, Vec<Step>) {
    let domain = Domain::new([("lat", 500), ("r", 300), ("lon", 800)]);
    let field = |(i, name): (usize, &str)| Field::new(name, DType::Float64, DimMask::only(i));
    let fields = ["lat", "r", "lon"].into_iter().enumerate().map(field).collect();
    let schema = Schema { domain, fields, ..Schema::default() };
    let given = [500, 300, 800].map(|n| Given::Table(floats(n, |i| i as f64))).to_vec();
    let map = |list: &[(&str, &str)], schema: &Schema| {
        Step::Map(
            list.iter()
                .map(|(name, text)| {
                    let scope = Scope { schema, row: &[], params: &[], functions: &[] };
                    let typed = check(&tree(text), &scope).unwrap();
                    (typed.field(*name), typed)
                })
                .collect(),
        )
    };
    let first = map(
        &[
            ("vlat", "lpmv(0, 3, lat / 90)"),
            ("vlon", "lpmv(0, 2, lon / 180 - 1)"),
            ("vrad", "lpmv(0, 3, (r - 4928) / 1443)"),
        ],
        &schema,
    );
    let mid = after(&schema, &given, std::slice::from_ref(&first));
    let second = map(
        &[
            (
                "vx",
                "-sin(radians(lon)) * vlon - sin(radians(lat)) * cos(radians(lon)) * vlat + cos(radians(lat)) * cos(radians(lon)) * vrad",
            ),
            (
                "vy",
                "cos(radians(lon)) * vlon - sin(radians(lat)) * sin(radians(lon)) * vlat + cos(radians(lat)) * sin(radians(lon)) * vrad",
            ),
            ("vz", "cos(radians(lat)) * vlat + sin(radians(lat)) * vrad"),
        ],
        &mid,
    );
    (schema, given, vec![first, second])
}

#[test]
fn the_mantle_is_hoisted() {
    let (schema, given, steps) = mantle();
    let program = Program::compile(&schema, given, &steps, false).unwrap();
    let report = program.report();
    let find = |text: &str| report.nodes.iter().find(|n| n.text == text).unwrap();
    for (text, evaluations) in [
        ("sin(radians(lat))", 500),
        ("cos(radians(lat))", 500),
        ("sin(radians(lon))", 800),
        ("cos(radians(lon))", 800),
        ("radians(lat)", 500),
    ] {
        let node = find(text);
        assert_eq!((node.place, node.evaluations), (Place::Once, Some(evaluations)), "{text}");
    }
    let point: Vec<_> =
        report.nodes.iter().filter(|n| matches!(n.place, Place::Point { .. })).collect();
    // vx: a*b and the sum; vy: the same. (lat, lon) and (lat, r) products are hoisted.
    assert_eq!(point.len(), 4, "{point:#?}");
    assert!(program.needed().is_empty());
    let out = program.output();
    assert_eq!(out.field("vx").unwrap().mask, DimMask(7));
    assert_eq!(out.field("vz").unwrap().mask, DimMask(3));
    assert_eq!(out.field("vlat").unwrap().mask, DimMask(1));
}

fn series(n: i64, digits: &str) -> Program {
    let schema = Schema {
        domain: Domain::new([("k", n as u64)]),
        fields: vec![Field::new("k", DType::Int64, DimMask(1))],
        ..Schema::default()
    };
    let given = vec![Given::Counter { start: 1, step: 1 }];
    let filter = typed(&format!("not has_digits(k, '{digits}')"), &schema).unwrap();
    let rows = Schema { domain: Domain::rows(), ..schema.clone() };
    let term = typed("1 / k", &rows).unwrap();
    let pick = Step::Project(vec![(1, Field::new("term", DType::Float64, DimMask(1)))]);
    let steps = [Step::Filter(filter), Step::Map(vec![(term.field("term"), term)]), pick];
    Program::compile(&schema, given, &steps, false).unwrap()
}

/// The rows of a range behind a map and a filter, as `tile` and as `blocks` give them.
fn range_rows(steps: &[Step], schema: &Schema, given: &[Given], tile: u64) -> (Rows, Rows) {
    let grid = Grid { schema: schema.clone(), given: given.to_vec(), columns: vec![] };
    grid.run(steps, &[tile])
}

#[test]
fn a_pruned_range_has_the_rows_of_a_filter() {
    let schema = Schema {
        domain: Domain::new([("k", 30_000)]),
        fields: vec![Field::new("k", DType::Int64, DimMask(1))],
        ..Schema::default()
    };
    for (text, start, step) in [
        ("not has_digits(k, '42')", 0, 1),
        ("has_digits(k, '00') and k % 3 == 1", -15_000, 1),
        ("k > 99990100 and k % 7 != 2 and not has_digits(k, '9')", 99_990_000, 1),
        ("k != 20000 and k < 30000", 50_000, -2),
        ("k % 1000 == 17", -77, 3),
        ("k == 1", 5, 1),
    ] {
        let condition = typed(text, &schema).unwrap();
        let tests: Vec<_> =
            condition.conjuncts().into_iter().map(|c| c.test.unwrap().test).collect();
        let size = 30_000;
        let (selector, used) = Selector::new(Counter { start, step, size }, &tests).unwrap();
        assert!(!used.contains(&false));
        let prune = Step::Prune { selector: Arc::new(selector), condition: condition.clone() };
        let given = [Given::Counter { start, step }];
        let rest = |first: Step| {
            let rows = after(&schema, &given, std::slice::from_ref(&first));
            let values: Vec<_> = [("a", "random(3)"), ("b", "1 / k"), ("c", "7")]
                .iter()
                .map(|(name, text)| (typed(text, &rows).unwrap(), *name))
                .map(|(typed, name)| (typed.field(name), typed))
                .collect();
            let map = Step::Map(values);
            let mapped = after(&schema, &given, &[first.clone(), map.clone()]);
            let again = Step::Filter(typed("a < 0.9 and k % 5 != 0", &mapped).unwrap());
            [vec![first.clone(), map.clone()], vec![first.clone(), map, again], vec![first]]
        };
        let plain = rest(Step::Filter(condition));
        for (plain, pruned) in plain.iter().zip(&rest(prune)) {
            let (expected, _) = range_rows(plain, &schema, &given, 30_000);
            assert!(text == "k == 1" || !expected.is_empty());
            for tile in [30_000, 9_999, 4_096, 1_001] {
                let (whole, blocks) = range_rows(pruned, &schema, &given, tile);
                assert_eq!(whole, expected, "{text} {tile}");
                assert_eq!(blocks, expected, "{text} {tile}");
            }
        }
    }
}

#[test]
fn a_filter_comes_before_what_only_its_rows_need() {
    let program = series(100_000, "9");
    let places: Vec<_> = program.report().nodes.into_iter().map(|n| (n.text, n.place)).collect();
    let at = |text: &str| places.iter().find(|(t, _)| t == text).unwrap().1;
    assert_eq!(at("has_digits(k; '9')"), Place::Point { stage: 0 });
    assert_eq!(at("1.0 / float64(k)"), Place::Point { stage: 1 });
    let mut sum = 0.0;
    let tile =
        Tile { number: 0, origin: vec![0], shape: vec![100_000], columns: vec![], index: None };
    let mut count = 0;
    program
        .blocks(&mut program.runner(), &tile, &mut |block| {
            let crate::Values::Float64(values) = block.values(0) else { panic!() };
            sum += values.iter().sum::<f64>();
            count += block.len;
            assert_eq!(block.positions().unwrap().len(), block.len);
            Ok(())
        })
        .unwrap();
    let expected: f64 =
        (1..=100_000u32).filter(|k| !k.to_string().contains('9')).map(|k| 1.0 / f64::from(k)).sum();
    assert_eq!(count, 59_049);
    assert!((sum - expected).abs() < 1e-12);
}

#[test]
fn what_can_fail_sees_only_the_rows_that_are_left() {
    let (schema, tile) = rows(&[
        ("x", DType::Int64, Arc::new(Int64Array::from(vec![2, 2, 2]))),
        ("y", DType::Int64, Arc::new(Int64Array::from(vec![3, -1, 0]))),
    ]);
    let power = typed("x ** y", &schema).unwrap();
    let map = Step::Map(vec![(power.field("p"), power)]);
    let given = vec![Given::Loaded; 2];
    let run = |steps: &[Step]| {
        let program = Program::compile(&schema, given.clone(), steps, false).unwrap();
        program.tile(&mut program.runner(), &tile)
    };
    let failure = run(std::slice::from_ref(&map)).unwrap_err();
    assert_eq!(failure.kind, base::FailureKind::Data);
    let filter = Step::Filter(typed("y >= 0", &schema).unwrap());
    let out = run(&[filter, map]).unwrap();
    assert_eq!(shown(&out.columns[2].array), ["8", "1"]);
}

#[test]
fn rows_keep_their_index() {
    let (schema, mut tile) = sample();
    tile.index = Some(Int64Array::from(vec![100, 7, 50, 3]));
    let rows = Schema { domain: Domain::rows(), ..schema.clone() };
    let given = || vec![Given::Loaded; rows.fields.len()];
    let random = typed("random(3)", &rows).unwrap();
    assert!(random.needs_index());
    let map = Step::Map(vec![(random.field("x"), random)]);
    let program = Program::compile(&rows, given(), std::slice::from_ref(&map), true).unwrap();
    let out = program.tile(&mut program.runner(), &tile).unwrap();
    assert_eq!(out.index.as_ref().unwrap().values(), &[100, 7, 50, 3]);
    let x = shown(&out.columns[9].array);
    let expected = crate::kernels::random::uniform(crate::kernels::random::start(3), 50);
    assert_eq!(x[2], check::weak::show(&base::Value::Float(expected)));

    let filter = Step::Filter(typed("m", &rows).unwrap());
    let program = Program::compile(&rows, given(), &[map, filter], true).unwrap();
    let out = program.tile(&mut program.runner(), &tile).unwrap();
    assert_eq!((out.points(), out.index.unwrap().values().to_vec()), (1, vec![100]));
    assert_eq!(shown(&out.columns[9].array), x[..1]);
}

#[test]
fn tiles_without_points() {
    let (schema, tile) = sample();
    let empty = Tile {
        shape: vec![0],
        columns: tile
            .columns
            .iter()
            .map(|c| Column { array: c.array.slice(0, 0), ..c.clone() })
            .collect(),
        ..tile
    };
    let map = typed("d + l", &schema).unwrap();
    for filter in ["True", "b", "d > 0"] {
        let steps = [
            Step::Map(vec![(map.field("x"), map.clone())]),
            Step::Filter(typed(filter, &schema).unwrap()),
        ];
        for steps in [&steps[..1], &steps[..]] {
            let given = vec![Given::Loaded; schema.fields.len()];
            let program = Program::compile(&schema, given, steps, true).unwrap();
            let columns = program.needed().iter().map(|i| empty.columns[*i].clone()).collect();
            let tile = Tile { columns, ..empty.clone() };
            let out = program.tile(&mut program.runner(), &tile).unwrap();
            assert_eq!(out.points(), 0);
            out.to_batch(program.output()).unwrap();
        }
    }
}

#[test]
fn a_tile_of_a_wrong_shape_is_refused() {
    let (schema, mut tile) = sample();
    let given = vec![Given::Loaded; schema.fields.len()];
    let program = Program::compile(&schema, given, &[], false).unwrap();
    tile.columns[1].array = tile.columns[1].array.slice(0, 2);
    assert!(program.tile(&mut program.runner(), &tile).is_err());
}

/// How fast the slow series is: `cargo test --release -p tidemill-expr throughput -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn throughput() {
    for digits in ["9", "42", "0"] {
        let n = 100_000_000;
        let program = series(n, digits);
        let mut runner = program.runner();
        let started = std::time::Instant::now();
        let (mut sum, mut count) = (0.0, 0);
        let tiling = Tiling::by_points(&Domain::new([("k", n as u64)]), 1 << 20);
        for number in 0..tiling.count() {
            let Region { origin, shape } = tiling.region(number);
            let tile = Tile { number, origin, shape, columns: vec![], index: None };
            program
                .blocks(&mut runner, &tile, &mut |block| {
                    if let crate::Values::Float64(values) = block.values(0) {
                        sum += values[0];
                        count += values.len();
                    }
                    Ok(())
                })
                .unwrap();
        }
        let ns = started.elapsed().as_secs_f64() * 1e9 / n as f64;
        println!("{digits}: {ns:.2} ns a number, {count} terms, {sum}");
    }
}

#[test]
fn twins_agree_with_one_at_a_time() {
    let grid = grid([3, 4, 50]);
    let one = |list: &[(&str, &str)], filter: bool| {
        let mut steps = vec![grid.map(list, &grid.schema)];
        if filter {
            steps.insert(0, Step::Filter(typed("lat > -15", &grid.schema).unwrap()));
        }
        grid.run(&steps, &[2, 3, 17])
    };
    let last = |rows: Rows, n: usize| -> Vec<Vec<String>> {
        rows.into_iter().map(|(_, row)| row[row.len() - n..].to_vec()).collect()
    };
    for filter in [false, true] {
        let both = [("x", "cos(v * 2)"), ("y", "sin(v * 2)"), ("z", "sin(w) + cos(w)")];
        let whole = one(&both, filter);
        let apart: Vec<_> = both.iter().take(2).map(|one_of| one(&[*one_of], filter)).collect();
        let (whole, blocks) = (last(whole.0, 3), last(whole.1, 3));
        assert_eq!(whole, blocks);
        for (i, part) in apart.into_iter().enumerate() {
            let part = last(part.0, 1);
            assert!(whole.iter().zip(&part).all(|(a, b)| a[i] == b[0]));
        }
    }
}

#[test]
fn fused_arithmetic_agrees_with_one_operation_at_a_time() {
    let n = 2 * BLOCK + 777;
    let number = |i: usize| (i as f64 * 0.618).fract() * 7.0 - 3.0;
    let some = |i: usize| (!i.is_multiple_of(5)).then(|| number(i * 3));
    let single = (0..n).map(|i| Some(number(i * 7) as f32)).collect::<arrow_array::Float32Array>();
    let (schema, tile) = rows(&[
        ("a", DType::Float64, floats(n, number)),
        ("b", DType::Float64, floats(n, |i| number(i * 11))),
        ("m", DType::Float64, Arc::new((0..n).map(some).collect::<Float64Array>())),
        ("f", DType::Float32, Arc::new(single)),
    ]);
    // Each may use those before it. The last one alone is fused with them; with them it is not.
    let chains: &[&[&str]] = &[
        &["a * 2.5", "p0 + 1.0", "a - 3.0", "p1 * p2"],
        &["a * b", "p0 - m", "p1 * a", "b - p2", "abs(p3)", "p4 / m"],
        &["a * a", "0.5 * a", "where(a < 0.5, p0, p1)"],
        &["a + b", "where(p0 >= m, p0, 1.0)", "p1 * 2.0", "-p2"],
        &["b * 2.0", "where(a != b, b, p0)", "where(b <= a, p1, a)", "p2 + p1"],
        &["f * f", "p0 - 1", "where(f > p1, f, p1)", "minimum(p2, f)", "clip(p3, -1, f)"],
        &["a + 1.0", "p0 * p0", "p1 * p0", "p2 - p1", "p3 * 3.0", "p4 + a"],
    ];
    let run = |filter: Option<&str>, texts: &[String]| {
        let filter = filter.map(|text| Step::Filter(typed(text, &schema).unwrap()));
        let columns = texts.iter().enumerate().map(|(i, text)| {
            let typed = typed(text, &schema).unwrap();
            (typed.field(format!("p{i}")), typed)
        });
        let steps: Vec<Step> = filter.into_iter().chain([Step::Map(columns.collect())]).collect();
        let program = Program::compile(&schema, vec![Given::Loaded; 4], &steps, false).unwrap();
        let columns = program.needed().iter().map(|i| tile.columns[*i].clone()).collect();
        let tile = Tile { columns, ..tile.clone() };
        let out = program.tile(&mut program.runner(), &tile).unwrap();
        let fused = |i: &&schedule::Instruction| matches!(i, schedule::Instruction::Fused { .. });
        let count = program.tile_schedule.instructions.iter().filter(fused).count();
        (shown(&out.columns.last().unwrap().array), count)
    };
    for filter in [None, Some("a < 2.0")] {
        for chain in chains {
            let mut texts: Vec<String> = Vec::new();
            for text in *chain {
                let whole = |text: String, (i, p): (usize, &String)| {
                    text.replace(&format!("p{i}"), &format!("({p})"))
                };
                texts.push(texts.iter().enumerate().fold((*text).to_owned(), whole));
            }
            let (alone, fused) = run(filter, &texts[texts.len() - 1..]);
            let (last, _) = run(filter, &texts);
            assert!(fused > 0, "{chain:?}");
            assert!(alone == last, "{chain:?}");
        }
    }
}
