//! Every receipt verifies, and no altered one does.
