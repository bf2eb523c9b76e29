// The link that an officer gives holds its code behind the `#`, which browsers send to nobody. It is put
// into the field, and taken out of the address so that it stays in no history.

const field = document.getElementById("code");
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}
