/** The configuration of an OHIF viewer (@ohif/app 3.13) beside this product: its one file that is ours. */

// Where this product is reached from a browser. An installation changes this line and nothing else.
const telemed = 'https://telemed.example';

// The case page hands over its right in the fragment, which leaves the browser in no request. OHIF takes it from a
// query parameter and removes it from the address; a page that is loaded again finds it in the tab's own storage.
(() => {
  const kept = 'telemed-token';
  const given = new URLSearchParams(window.location.hash.slice(1)).get('token');
  if (given) window.sessionStorage.setItem(kept, given);
  const token = given || window.sessionStorage.getItem(kept);
  if (!token) return;
  const address = new URL(window.location.href);
  address.hash = '';
  address.searchParams.set('token', token);
  window.history.replaceState(null, '', address);
})();

/** @type {AppTypes.Config} */
window.config = {
  name: 'telemed',
  routerBasename: null,
  extensions: [],
  modes: [],
  customizationService: {},
  // Studies are chosen in the reading room.
  showStudyList: false,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  showErrorDetails: 'production',
  investigationalUseDialog: { option: 'never' },
  defaultDataSourceName: 'telemed',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'telemed',
      configuration: {
        friendlyName: 'Telemed',
        name: 'telemed',
        qidoRoot: `${telemed}/dicom-web`,
        wadoRoot: `${telemed}/dicom-web`,
        wadoUriRoot: `${telemed}/dicom-web`,
        qidoSupportsIncludeField: true,
        supportsFuzzyMatching: true,
        supportsWildcard: true,
        supportsReject: false,
        dicomUploadEnabled: false,
        imageRendering: 'wadors',
        thumbnailRendering: 'thumbnail',
        thumbnailRequestStrategy: 'fetch',
        enableStudyLazyLoad: true,
        singlepart: 'bulkdata',
        bulkDataURI: { enabled: true },
        omitQuotationForMultipartRequest: false,
      },
    },
  ],
};
