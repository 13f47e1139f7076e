//! The dimensions of NetCDF-4 files: datasets that are scales of others, and those without a name.
use super::{Node, attributes, leaf, text};
use crate::netcdf::header::RawDim;
use hdf5_reader::Dataset;
use std::collections::HashMap;

/// A scale that says so is a dimension, and no variable.
const NO_VARIABLE: &str = "This is a netCDF dimension but not a netCDF variable";

/// All dimensions of a file.
pub(super) struct Scales {
    /// By the address of their datasets.
    by_address: HashMap<u64, Scale>,
    /// The addresses by the numbers that NetCDF gives dimensions.
    by_number: HashMap<i64, u64>,
    /// Sizes that belong to no scale, by the number of the group.
    unnamed: HashMap<usize, Vec<RawDim>>,
}

struct Scale {
    dim: RawDim,
    only_dimension: bool,
}

impl Scales {
    pub(super) fn of(nodes: &[Node]) -> Result<Scales, String> {
        let (by_address, by_number) = (HashMap::new(), HashMap::new());
        let mut scales = Scales { by_address, by_number, unnamed: HashMap::new() };
        for dataset in nodes.iter().flat_map(|n| &n.datasets).filter(|d| is_scale(d)) {
            scales.add(dataset);
        }
        scales.grow(nodes)?;
        scales.name_others(nodes)?;
        Ok(scales)
    }

    fn add(&mut self, dataset: &Dataset) {
        let Some(size) = dataset.shape().first() else { return };
        let name = leaf(dataset.name()).to_string();
        let dim = RawDim { name, size: *size, unlimited: unlimited(dataset, 0) };
        let only_dimension = said(dataset, "NAME").is_some_and(|n| n.starts_with(NO_VARIABLE));
        let number = dataset.attribute("_Netcdf4Dimid").ok().and_then(|a| attributes::whole(&a));
        if let Some([number]) = number.as_deref() {
            self.by_number.insert(*number, dataset.address());
        }
        let scale = Scale { dim, only_dimension };
        self.by_address.entry(dataset.address()).or_insert(scale);
    }

    /// A dimension that may grow is as long as the longest variable along it.
    fn grow(&mut self, nodes: &[Node]) -> Result<(), String> {
        for dataset in nodes.iter().flat_map(|n| &n.datasets) {
            if self.only_dimension(dataset) {
                continue;
            }
            let addresses = self.addresses(dataset)?;
            for (address, size) in addresses.iter().zip(dataset.shape()) {
                let scale = address.and_then(|a| self.by_address.get_mut(&a));
                if let Some(scale) = scale.filter(|s| s.dim.unlimited) {
                    scale.dim.size = scale.dim.size.max(*size);
                }
            }
        }
        Ok(())
    }

    /// Gives names to the dimensions that have no scale, as the NetCDF library does.
    fn name_others(&mut self, nodes: &[Node]) -> Result<(), String> {
        let mut next = self.by_number.keys().max().map_or(0, |n| n + 1);
        if self.by_number.is_empty() {
            next = self.by_address.len() as i64;
        }
        for group in inner_first(nodes, 0) {
            let node = &nodes[group];
            for dataset in &node.datasets {
                if self.only_dimension(dataset) {
                    continue;
                }
                let addresses = self.addresses(dataset)?;
                let mut used: Vec<String> = Vec::new();
                for (i, size) in dataset.shape().iter().enumerate() {
                    if let Some(scale) = addresses[i].and_then(|a| self.by_address.get(&a)) {
                        used.push(scale.dim.name.clone());
                        continue;
                    }
                    let unlimited = unlimited(dataset, i);
                    let found = self.alike(group, *size, unlimited, &used);
                    let name = found.unwrap_or_else(|| {
                        let name = format!("phony_dim_{next}");
                        next += 1;
                        let dim = RawDim { name: name.clone(), size: *size, unlimited };
                        self.unnamed.entry(group).or_default().push(dim);
                        name
                    });
                    used.push(name);
                }
            }
        }
        Ok(())
    }

    /// A dimension without a scale in the group that has this size, and is not `used`.
    fn alike(&self, group: usize, size: u64, unlimited: bool, used: &[String]) -> Option<String> {
        let fits =
            |d: &&RawDim| d.size == size && d.unlimited == unlimited && !used.contains(&d.name);
        let unnamed = self.unnamed.get(&group).into_iter().flatten().find(fits);
        unnamed.map(|d| d.name.clone())
    }

    /// Whether a dataset only stands for a dimension.
    pub(super) fn only_dimension(&self, dataset: &Dataset) -> bool {
        self.by_address.get(&dataset.address()).is_some_and(|s| s.only_dimension)
    }

    /// The dimensions of a dataset of a group.
    pub(super) fn dims(&self, group: usize, dataset: &Dataset) -> Result<Vec<RawDim>, String> {
        let addresses = self.addresses(dataset)?;
        let mut dims: Vec<RawDim> = Vec::new();
        for (i, size) in dataset.shape().iter().enumerate() {
            let dim = match addresses[i].and_then(|a| self.by_address.get(&a)) {
                Some(scale) => scale.dim.clone(),
                None => {
                    let used: Vec<String> = dims.iter().map(|d| d.name.clone()).collect();
                    let name = self.alike(group, *size, unlimited(dataset, i), &used);
                    let name = name.ok_or("one of its dimensions is not known")?;
                    RawDim { name, size: *size, unlimited: unlimited(dataset, i) }
                }
            };
            if *size != dim.size && (!dim.unlimited || *size > dim.size) {
                let (name, of) = (dim.name, dim.size);
                return Err(format!("its dimension `{name}` has {of} points, and it has {size}"));
            }
            dims.push(dim);
        }
        Ok(dims)
    }

    /// The scales of a dataset's dimensions, by their addresses.
    fn addresses(&self, dataset: &Dataset) -> Result<Vec<Option<u64>>, String> {
        let rank = dataset.ndim();
        if rank == 0 {
            return Ok(Vec::new());
        }
        if self.by_address.contains_key(&dataset.address()) && rank == 1 {
            return Ok(vec![Some(dataset.address())]);
        }
        let named = |e: String| format!("variable `{}`: {e}", leaf(dataset.name()));
        if let Ok(list) = dataset.attribute("DIMENSION_LIST") {
            return self.listed(dataset, &list.raw_data).map_err(named);
        }
        let numbers = dataset.attribute("_Netcdf4Coordinates").ok();
        let numbers = numbers.and_then(|a| attributes::whole(&a)).filter(|n| n.len() == rank);
        if let Some(numbers) = numbers {
            return Ok(numbers.iter().map(|n| self.by_number.get(n).copied()).collect());
        }
        let mut none = vec![None; rank];
        if self.by_address.contains_key(&dataset.address()) {
            none[0] = Some(dataset.address());
        }
        Ok(none)
    }

    /// The first scale of each dimension, as `DIMENSION_LIST` names them.
    fn listed(&self, dataset: &Dataset, list: &[u8]) -> Result<Vec<Option<u64>>, String> {
        let width = dataset.vlen_reference_size();
        if list.len() / width != dataset.ndim() {
            return Err("the list of its dimensions is cut off".to_string());
        }
        let address = width - 8;
        let first = |entry: &[u8]| {
            let found = dataset.resolve_vlen_reference_bytes(entry, address).map_err(text)?;
            let Some(found) = found.get(..address) else { return Ok(None) };
            let at = found.iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
            match self.by_address.contains_key(&at) {
                true => Ok(Some(at)),
                false => Err(format!("one of its dimensions is not there (at {at:#x})")),
            }
        };
        list.chunks_exact(width).map(first).collect()
    }
}

/// The numbers of a group and those in it, the inner ones first, as the library goes.
fn inner_first(nodes: &[Node], at: usize) -> Vec<usize> {
    let inner = nodes[at].inner.iter().flat_map(|(_, inner)| inner_first(nodes, *inner));
    inner.chain([at]).collect()
}

fn is_scale(dataset: &Dataset) -> bool {
    said(dataset, "CLASS").is_some_and(|class| class == "DIMENSION_SCALE")
}

fn said(dataset: &Dataset, name: &str) -> Option<String> {
    dataset.attribute(name).ok()?.read_string().ok()
}

fn unlimited(dataset: &Dataset, i: usize) -> bool {
    dataset.max_dims().and_then(|m| m.get(i)) == Some(&u64::MAX)
}
