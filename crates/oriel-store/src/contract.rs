pub(crate) struct Folder;
