//! A file of a ledger that records are added to, each handed to the system at once.
use super::folder::{cannot, page};
use super::frame::{Body, Frame, MAGIC, append};
use super::home::{Home, beside};
use super::record::{Origin, Record};
use base::Failure;
use rustix::fs::OFlags;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file of one process.
pub struct Page {
    home: Home,
    /// Where the outputs are that it tells of, if it lies beside them.
    outputs: Option<PathBuf>,
    path: Arc<PathBuf>,
    file: File,
    records: u64,
    /// Bytes.
    len: u64,
    /// After an error nothing more is noted.
    failed: Option<String>,
}

impl Page {
    /// Begins the file of a process of a run.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn begin(folder: &Path, run: &str, process: usize) -> Result<Page, Failure> {
        let path = page(folder, run, process);
        let home = Home::make(folder)?;
        let name = path.file_name().unwrap_or_default();
        let new = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::EXCL;
        let mut file = home.file(name, new).map_err(|e| cannot(folder, &e))?;
        file.write_all(MAGIC).map_err(|e| cannot(folder, &e))?;
        let (len, origin) = (MAGIC.len() as u64, Origin::of(home.identity()));
        let (outputs, path) = (beside(folder), Arc::new(path));
        let mut page = Page { home, outputs, path, file, records: 0, len, failed: None };
        page.note(&Record::Begin(origin), &[]);
        Ok(page)
    }

    /// Adds a record; where it is, if that could be done.
    pub fn note(&mut self, record: &Record, body: &[&[u8]]) -> Option<Frame> {
        if self.failed.is_some() {
            return None;
        }
        match append(&mut self.file, &record.below(self.outputs.as_deref()), body) {
            Ok(bytes) => {
                self.records += 1;
                self.len += bytes;
                Some(Frame { record: record.clone(), body: Body::last(&self.path, self.len, body) })
            }
            Err(e) => {
                self.failed = Some(e.to_string());
                None
            }
        }
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.len
    }

    /// Why nothing more is noted, if so.
    pub fn failed(&self) -> Option<String> {
        self.failed.clone()
    }

    /// Makes durable what has been added.
    pub fn sync(&mut self) -> io::Result<()> {
        let synced = self.file.sync_data();
        if let Err(e) = &synced {
            self.failed.get_or_insert(e.to_string());
        }
        synced
    }

    /// The file, for whoever makes it durable meanwhile.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Begins the file anew with some of its records, which it puts where they now are.
    pub fn turn(&mut self, keep: &mut [&mut Frame]) {
        if self.failed.is_none()
            && let Err(e) = self.rewrite(keep)
        {
            self.failed = Some(e.to_string());
        }
    }

    fn rewrite(&mut self, keep: &mut [&mut Frame]) -> io::Result<()> {
        let name = self.path.file_name().unwrap_or_default();
        let fresh = Path::new(name).with_extension("new");
        let mut file = self.home.anew(fresh.as_os_str())?;
        file.write_all(MAGIC)?;
        let origin = Origin::of(self.home.identity());
        let mut len = MAGIC.len() as u64 + append(&mut file, &Record::Begin(origin), &[])?;
        let mut places = Vec::with_capacity(keep.len());
        for frame in keep.iter() {
            let damaged = || io::Error::other("a record has changed on the disk");
            let body = frame.body.read().ok_or_else(damaged)?;
            len += append(&mut file, &frame.record.below(self.outputs.as_deref()), &[&body])?;
            places.push(Body::last(&self.path, len, &[&body]));
        }
        self.home.rename(fresh.as_os_str(), name)?;
        self.file = self.home.file(name, OFlags::WRONLY | OFlags::APPEND)?;
        (self.len, self.records) = (len, keep.len() as u64 + 1);
        keep.iter_mut().zip(places).for_each(|(frame, body)| frame.body = body);
        Ok(())
    }
}
