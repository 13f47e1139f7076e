//! What a NetCDF file says of its variables and dimensions that an output will not say.
use super::choose::{Choice, Chosen, Content};
use crate::Unkept;
use crate::netcdf::header::{Raw, RawDim};

/// Unlimited dimensions, packing, small types, and dimensions in another order.
pub(super) fn unkept(choice: &Choice) -> Vec<Unkept> {
    let mut list: Vec<Unkept> = Vec::new();
    for chosen in &choice.chosen {
        let name = &chosen.variable.name;
        let note = |what: String| Unkept { name: name.clone(), what, dimension: false };
        list.extend(stored(chosen).map(note));
        let dims = &chosen.variable.dims;
        if !chosen.dims.is_sorted() {
            let names: Vec<&str> = dims.iter().map(|d| d.name.as_str()).collect();
            list.push(note(format!("its dimensions in the order {}", names.join(", "))));
        }
        for RawDim { name, .. } in dims.iter().filter(|dim| dim.unlimited) {
            if !list.iter().any(|known| known.dimension && known.name == *name) {
                let (name, what) = (name.clone(), "unlimited".to_string());
                list.push(Unkept { name, what, dimension: true });
            }
        }
    }
    list
}

/// The type that a variable has in the file, if its column has another.
fn stored(chosen: &Chosen) -> Option<String> {
    let Content::Numbers(decoding) = &chosen.content else { return None };
    let name = match chosen.variable.raw {
        Raw::I8 if decoding.dtype == base::DType::Bool => return None,
        Raw::I8 => "int8",
        Raw::U8 => "uint8",
        Raw::I16 => "int16",
        Raw::U16 => "uint16",
        Raw::U32 => "uint32",
        Raw::U64 => "uint64",
        Raw::I32 => "int32",
        Raw::I64 => "int64",
        Raw::F32 => "float32",
        Raw::F64 => "float64",
        Raw::Char | Raw::Text | Raw::Other => return None,
    };
    let wide = ["int32", "int64", "float32", "float64"].contains(&name);
    match (decoding.is_packed(), wide) {
        (true, _) => Some(format!("packed as {name}")),
        (false, false) => Some(format!("of type {name}")),
        (false, true) => None,
    }
}
